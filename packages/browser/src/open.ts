import type { Entity, PeerplaneError } from '@peerplane/core'
import {
  checkListener,
  createPlane,
  distinct,
  openRuntime,
  systemPlatform,
  systemReport,
} from '@peerplane/runtime'
import type { Backend, NetworkFactory, Plane, PlaneStatus } from '@peerplane/runtime'

import { requireBrowser } from './adapters/requirements.ts'
import { browserTabs } from './adapters/tab-environment.ts'
import { invitationOf, requireSameSpace } from './invitation.ts'
import { createBrowserNetwork } from './libp2p.ts'
import { openIdentity } from './storage/identity.ts'
import { openIndexedDbStore } from './storage/indexeddb.ts'
import type { Leadership } from './tabs/leader-side.ts'
import type { TabsStatus } from './tabs/stay.ts'
import { openInTabs } from './tabs/tabs.ts'

/** How to open a plane in a browser. */
export interface OpenOptions {
  /** The entity types that the application uses; commits of others are kept and passed on. All tabs should pass the same. */
  readonly entities: readonly Entity[]
  /** Which store of this origin; one store holds one space. Default `default`. */
  readonly space?: string | undefined
  /**
   * Version of the application, a whole number that goes up with each release. Of several tabs the one with the newest leads: it knows the
   * commands of all. Default 0.
   */
  readonly version?: number | undefined
  /**
   * An invitation, as text or as the address of a page; an address without an invitation counts as none, so that `location.href` can always
   * be passed. Without it the space of the store is opened, or a new one founded.
   */
  readonly join?: string | undefined
  /** Whether to go online at once. Default true. */
  readonly online?: boolean | undefined
  /** Whether to use the network at all. Default true. */
  readonly network?: boolean | undefined
  /** STUN and TURN servers, as URLs. Default none: WebRTC then connects peers of one local network, and others stay on the relay. */
  readonly iceServers?: readonly string[] | undefined
  /**
   * Takes what listeners of the application throw, as `listener-failed` with the thrown error as its `cause`; it must not throw. Default:
   * `reportError`, so that it is seen like any uncaught error of the page.
   */
  readonly onError?: ((error: PeerplaneError) => void) | undefined
}

/** A plane that shares its replica with the other tabs of the profile. */
export interface BrowserPlane extends Plane {
  /** How this tab stands to the others. */
  tabs(): TabsStatus
  /** Calls back now and after each change. The returned function ends it. */
  onTabs(listener: (tabs: TabsStatus) => void): () => void
}

/**
 * Opens the plane of this browser profile. One tab owns its store, its key and its network; the others use them through it, and one takes
 * over when it goes away. State can be read and written as soon as this resolves; the network is loaded afterwards.
 *
 * Rejects with `unsupported`, `invalid-invitation`, `expired-invitation`, `wrong-space`, `invalid-declaration`, `store-failed`, `store-full`,
 * `store-version`, `store-corrupt`, or `store-locked` if another tab has the store and does not answer.
 */
export async function open(options: OpenOptions): Promise<BrowserPlane> {
  requireBrowser()
  const { entities, space = 'default', version = 0, onError = systemReport } = options
  const invitation = invitationOf(options.join)
  const platform = systemPlatform()
  const backend = await openInTabs(browserTabs, space, version, (online, taken) =>
    openReplica(
      { ...options, join: invitation, online: online ?? options.online },
      taken,
      platform,
    ),
  )
  try {
    const status = await firstStatus(backend)
    // A tab that leads has joined by it; through another tab there is nothing to join.
    if (invitation !== undefined && backend.tabs().role === 'follower') {
      await requireSameSpace(invitation, status.space, platform)
    }
  } catch (error) {
    await backend.close()
    throw error
  }
  return {
    ...createPlane(entities, backend, onError),
    tabs: () => backend.tabs(),
    onTabs: (listener) => {
      const show = distinct(checkListener(listener), onError)
      show(backend.tabs())
      return backend.watchTabs(show)
    },
  }
}

type Platform = ReturnType<typeof systemPlatform>

async function openReplica(
  options: OpenOptions,
  taken: () => void,
  platform: Platform,
): Promise<Leadership> {
  const { entities, space = 'default', join, online } = options
  const name = `peerplane:${space}`
  const store = await openIndexedDbStore({ name, taken })
  try {
    const key = await openIdentity(name)
    const network = networkOf(options, platform)
    const ports = { ...platform, store, key, network }
    return { backend: await openRuntime(ports, { entities, join, online }), term: store.term }
  } catch (error) {
    await store.close()
    throw error
  }
}

function networkOf(
  { network = true, iceServers = [] }: OpenOptions,
  { clock, scheduler, random }: Platform,
): NetworkFactory | undefined {
  if (!network) return undefined
  return ({ topic, dial }) =>
    createBrowserNetwork({ topic, dial, iceServers, clock, scheduler, random })
}

function firstStatus(backend: Backend): Promise<PlaneStatus> {
  return new Promise((resolve) => {
    const stop = backend.watchStatus((status) => {
      resolve(status)
      // Later, because the first call may come before `stop` is known.
      queueMicrotask(() => stop())
    })
  })
}
