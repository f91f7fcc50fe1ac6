import { Services, type Network, type Store } from '@peerplane/core'
import {
  createPlane,
  keyInStore,
  openRuntime,
  openWithin,
  shielded,
  systemPlatform,
  systemReport,
} from '@peerplane/runtime'
import type { LocalBackend, NetworkSpace, Plane, Ports } from '@peerplane/runtime'

import { makeDirectory, planeFiles } from './directory.ts'
import { takeOpening, type OpenOptions } from './options.ts'
import { currentStatus, problemError } from './problem.ts'
import { openSqliteStore } from './storage/sqlite.ts'

/**
 * Opens the plane of this device, with its store and its network. The store contains the key of the device. When the promise resolves, state can be
 * read and written. If `listen` contains addresses, the plane is also listening on them when the promise resolves.
 *
 * Rejects with `store-locked`, `store-corrupt`, `storage-lost`, `store-version`, `store-full`, `store-failed`, `exposed-secret`,
 * `invalid-invitation`, `expired-invitation`, `wrong-space`, `invalid-declaration`, `invalid-input`, `port-in-use`, `invalid-configuration`,
 * `unsupported`, `aborted` or `timeout`.
 */
export const open = (given: OpenOptions): Promise<Plane> =>
  openWithin(async () => {
    const options = await takeOpening(given)
    return createPlane(options.entities, await openTaken(options), { report: options.onError })
  }, given)

/** Opens the backend that {@link open} uses for a plane. */
export async function openBackend(given: OpenOptions): Promise<LocalBackend> {
  return openTaken(await takeOpening(given))
}

async function openTaken(given: OpenOptions): Promise<LocalBackend> {
  const { trace, onError = systemReport } = given
  const options = { ...given, trace: trace && shielded(trace, onError) }
  return Services.open(options.trace, async (services) => {
    const store = await services.start(
      'store',
      () => openFiles(options),
      (opened) => opened.close(),
    )
    const backend = await services.start(
      'runtime',
      () => openOn(store, options),
      (opened) => opened.close(),
    )
    if (listens(options)) await startListening(backend)
    return { ...backend, close: () => services.stop() }
  })
}

async function openOn(store: Store, options: OpenOptions): Promise<LocalBackend> {
  const { entities, join, anchor = false, network = true, trace } = options
  const ports: Ports = {
    store,
    ...(await keyInStore(store, platform)),
    ...platform,
    trace,
    ...(network && { network: (space: NetworkSpace) => assemble(options, space) }),
  }
  const found = listens(options)
  return openRuntime(ports, { entities, join, anchor, online: !found, found })
}

const listens = ({ listen = [], network = true }: OpenOptions): boolean =>
  network && listen.length > 0

const platform = systemPlatform()

async function openFiles(options: OpenOptions): Promise<Store> {
  const files = planeFiles(options.data ?? '.peerplane', options.space ?? 'default')
  await makeDirectory(files.directory)
  return openSqliteStore({
    path: files.store,
    completing: options.join !== undefined,
    trace: options.trace,
  })
}

/** Loads libp2p only when a network is needed, so a program without a network starts without libp2p. */
async function assemble(options: OpenOptions, space: NetworkSpace): Promise<Network> {
  const { createNodeNetwork } = await import('./libp2p.ts')
  const { listen = [], announce = [], proxies, trace } = options
  return createNodeNetwork({ ...space, listen, announce, proxies, ...platform, trace })
}

/** Goes online. Because the caller asked to listen, the call rejects if the network does not start. */
async function startListening(backend: LocalBackend): Promise<void> {
  await backend.setOnline(true)
  const { network, lastError } = await currentStatus((listener) => backend.watchStatus(listener))
  if (!network?.started && lastError) throw problemError(lastError)
}
