import {
  checkListener,
  createPlane,
  distinct,
  openWithin,
  shielded,
  systemPlatform,
  systemReport,
} from '@peerplane/runtime'
import type { Backend, Plane, PlaneStatus } from '@peerplane/runtime'

import { browserTabs } from './adapters/tab-environment.ts'
import { inBrowser } from './in-browser.ts'
import { invitationOf } from './invitation.ts'
import { takeOpening, type OpenOptions } from './options.ts'
import { createReplica } from './replica.ts'
import type { TabsStatus } from './tabs/stay.ts'
import { openInTabs } from './tabs/tabs.ts'

/** A plane that shares its replica with the other tabs of the browser profile. */
export interface BrowserPlane extends Plane {
  /** Returns the role of this tab, leader or follower, and the number of other tabs that share the replica. */
  tabs(): TabsStatus
  /** Calls `listener` with the result of {@link tabs} now and after each change, until the returned function is called. */
  onTabs(listener: (tabs: TabsStatus) => void): () => void
}

/**
 * Opens the plane of this browser profile. One tab of the profile, the leader, owns the store, the key and the network. The other tabs work through
 * the leader; one of them takes over when the leader is closed or no longer answers. When the promise resolves, state can be read and written; the
 * network is loaded afterwards.
 *
 * Rejects with `unsupported`, `invalid-invitation`, `expired-invitation`, `wrong-space`, `invalid-declaration`, `invalid-input`, `store-failed`,
 * `store-full`, `store-version`, `store-corrupt`, `storage-lost`, `aborted`, `timeout`, or `store-locked` if another tab has the store open and does
 * not answer.
 */
export const open = (given: OpenOptions): Promise<BrowserPlane> =>
  openWithin(async () => {
    const options = takeOpening(given)
    return inBrowser('The plane could not be opened', () => openTaken(options))
  }, given)

async function openTaken(options: OpenOptions): Promise<BrowserPlane> {
  const { entities, space = 'default', version = 0, onError = systemReport } = options
  const invitation = invitationOf(options.join)
  const platform = systemPlatform()
  const trace = options.trace && shielded(options.trace, onError)
  const replica = createReplica({ ...options, join: invitation, trace }, platform)
  const backend = await openInTabs({ ...browserTabs, trace }, space, version, replica)
  try {
    await firstStatus(backend)
    // A tab that leads has joined by it; another tab that leads is asked.
    if (invitation !== undefined && backend.tabs().role === 'follower') {
      await backend.invited(invitation)
    }
  } catch (error) {
    await backend.close()
    throw error
  }
  return {
    ...createPlane(entities, backend, { report: onError }),
    tabs: () => backend.tabs(),
    onTabs: (listener) => {
      const show = distinct(checkListener(listener), onError)
      show(backend.tabs())
      return backend.watchTabs(show)
    },
  }
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
