import type { Entity, Network, PeerplaneError, Store } from '@peerplane/core'
import {
  checkInvitation,
  createPlane,
  keyInStore,
  openRuntime,
  systemPlatform,
} from '@peerplane/runtime'
import type { LocalBackend, NetworkSpace, Plane, Ports } from '@peerplane/runtime'

import { makeDirectory, planeFiles } from './directory.ts'
import { currentStatus, problemError } from './problem.ts'
import { openSqliteStore } from './storage/sqlite.ts'

/** How to open a plane in Node. */
export interface OpenOptions {
  /** The entity types that the program uses; commits of others are kept and passed on. */
  readonly entities: readonly Entity[]
  /** Which store of this machine; one store holds one space. Default `default`. */
  readonly space?: string | undefined
  /**
   * An invitation, as link or text; without it the space of the store is opened, or a new one, which the first command founds. A plane that
   * listens founds it at once.
   */
  readonly join?: string | undefined
  /** Directory of the stores. Default `.peerplane`, below the working directory. */
  readonly data?: string | undefined
  /** Multiaddresses to listen at, such as `/ip4/0.0.0.0/tcp/7420/ws`. Default none: the plane only calls others. */
  readonly listen?: readonly string[] | undefined
  /** Multiaddresses under which a proxy or router makes this device reachable. */
  readonly announce?: readonly string[] | undefined
  /**
   * IP addresses of proxies before this device, which stand for many: limits per address do not count for them. Default this machine,
   * 127.0.0.1 and ::1.
   */
  readonly proxies?: readonly string[] | undefined
  /** Whether to be an anchor: always on, introducing and relaying members. Default false. */
  readonly anchor?: boolean | undefined
  /** Whether to use the network. Default true. */
  readonly network?: boolean | undefined
  /**
   * Takes what listeners of the application throw, as `listener-failed` with the thrown error as its `cause`; it must not throw. Default:
   * it is printed, and the process goes on.
   */
  readonly onError?: ((error: PeerplaneError) => void) | undefined
}

/**
 * Opens the plane of this device: its store with its key in it, its network. State can be read and written as soon as it resolves; with `listen` it
 * also listens then.
 *
 * Rejects with `store-locked`, `store-corrupt`, `storage-lost`, `store-version`, `store-full`, `store-failed`, `exposed-secret`, `invalid-invitation`,
 * `expired-invitation`, `wrong-space`, `invalid-declaration`, `port-in-use`, `invalid-configuration` or `unsupported`.
 */
export async function open(options: OpenOptions): Promise<Plane> {
  return createPlane(options.entities, await openBackend(options), options.onError)
}

/** What {@link open} puts a plane on. */
export async function openBackend(options: OpenOptions): Promise<LocalBackend> {
  if (options.join !== undefined) await checkInvitation(options.join, platform)
  const store = await openFiles(options)
  try {
    return await openOn(store, options)
  } catch (error) {
    await store.close()
    throw error
  }
}

async function openOn(store: Store, options: OpenOptions): Promise<LocalBackend> {
  const { entities, join, listen = [], anchor = false, network = true } = options
  const ports: Ports = {
    store,
    ...(await keyInStore(store, platform)),
    ...platform,
    ...(network && { network: (space: NetworkSpace) => assemble(options, space) }),
  }
  const listens = network && listen.length > 0
  const backend = await openRuntime(ports, {
    entities,
    join,
    anchor,
    online: !listens,
    found: listens,
  })
  if (listens) await startListening(backend)
  return backend
}

const platform = systemPlatform()

async function openFiles(options: OpenOptions): Promise<Store> {
  const files = planeFiles(options.data ?? '.peerplane', options.space ?? 'default')
  await makeDirectory(files.directory)
  return openSqliteStore({ path: files.store, completing: options.join !== undefined })
}

/** Loaded when it is wanted: a program without a network starts without libp2p. */
async function assemble(options: OpenOptions, { topic, dial }: NetworkSpace): Promise<Network> {
  const { createNodeNetwork } = await import('./libp2p.ts')
  const { listen = [], announce = [], proxies, anchor = false } = options
  return createNodeNetwork({ topic, dial, listen, announce, proxies, anchor, ...platform })
}

/** Goes online; a network that did not start is the failure of whoever asked to listen. */
async function startListening(backend: LocalBackend): Promise<void> {
  await backend.setOnline(true)
  const { network, lastError } = await currentStatus((listener) => backend.watchStatus(listener))
  if (network?.started || !lastError) return
  await backend.close()
  throw problemError(lastError)
}
