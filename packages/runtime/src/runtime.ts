import {
  asPeerplaneError,
  clockDoubt,
  dateText,
  entityKey,
  HybridClock,
  PeerplaneError,
  type Entity,
} from '@peerplane/core'
import { checkedStore } from '@peerplane/crdt-store'

import type { LocalBackend, PlaneStatus, Problem } from './contract/backend.ts'
import { holdSpace } from './space/held-space.ts'
import { createInvoker } from './commands/invoker.ts'
import { createFounding, type Founding } from './membership/founding.ts'
import { loadLosses, seqsOf } from './membership/lost.ts'
import { checkHours } from './contract/arguments.ts'
import {
  invite,
  isInvitedTo,
  loadKnownDevices,
  openMembership,
  type Remembered,
} from './membership/membership.ts'
import { createOnline } from './online.ts'
import type { Ports } from './ports.ts'
import { createStatus } from './watching/status.ts'
import { createTimers } from './timers.ts'
import { createViews } from './watching/views.ts'

/** How a device opens its space. */
export interface RuntimeOptions {
  readonly entities: readonly Entity[]
  /** An invitation, as text or link; without it the space of the store is opened, or a new one, which the first command founds. */
  readonly join?: string | undefined
  /** Whether this device is an anchor: always on, relays for members. */
  readonly anchor?: boolean | undefined
  /** Whether to go online at once. Default true. */
  readonly online?: boolean | undefined
  /** Whether to found a new space at once: who waits to be reached must exist. Default false: the first command or invitation does it. */
  readonly found?: boolean | undefined
  /** From an opening before this one, whose storage was lost. An empty store is made that of the same device. */
  readonly remembered?: Remembered | undefined
}

function lossOf(commits: number): Problem | undefined {
  if (commits === 0) return undefined
  const { code, message } = new PeerplaneError(
    'storage-lost',
    `the storage was deleted, and ${commits} commits that were held here have not come back from other devices`,
  )
  return { code, message }
}

const membershipOf = (founding: Founding): PlaneStatus['membership'] => {
  if (!founding.done()) return 'none'
  return founding.membership().chain.length > 0 ? 'joined' : 'founded'
}

/** A backend that can be opened again where its storage is lost. */
export interface Runtime extends LocalBackend {
  /** What a new store needs to go on as this device; `undefined` before the space is founded. */
  remembered(): Remembered | undefined
}

/**
 * The runtime of one device: the same in a tab, a daemon and an anchor.
 *
 * Resolves when local state can be read and written; the network is assembled afterwards. Rejects with the codes of the store, of the
 * invitation, or `invalid-declaration`.
 */
export async function openRuntime(given: Ports, options: RuntimeOptions): Promise<Runtime> {
  const timers = createTimers(given.scheduler)
  const ports = { ...given, store: checkedStore(given.store), scheduler: timers }
  const opened = await openMembership(ports, options.join, options.remembered)
  const { membership } = opened
  const status = createStatus(ports)
  const founding = createFounding(ports, opened, () => {
    status.changed()
    // A network that was wanted before there was a space.
    if (online.wanted()) void online.set(true)
  })
  const clock = new HybridClock(ports.clock)
  const space = await holdSpace(ports, options.entities, membership, clock, {
    changed: (keys) => views.show(keys),
    reset: () => views.showAll(),
    failed: (error) => status.fail(asPeerplaneError(error, 'store-failed')),
    closing: () => views.stop(),
  })
  const invoker = createInvoker({
    declared: options.entities,
    space,
    store: ports.store,
    founding,
    device: membership.device,
    random: ports.random,
    scheduler: ports.scheduler,
    changed: (keys) => {
      status.changed()
      return views.showNow(keys)
    },
    caughtUp: (keys) => views.caughtUp(keys),
    settled: (keys) => {
      views.showSettled(keys)
      status.changed()
    },
  })
  const views = createViews(space, ports, invoker.pendingOn, (error) =>
    status.fail(asPeerplaneError(error, 'store-failed')),
  )
  const known = await loadKnownDevices(ports)
  const losses = await loadLosses(ports.store)
  const anchor = options.anchor ?? false
  const online = createOnline(ports, founding, known, anchor, space.log, status)
  const types = new Set(options.entities.map(({ type }) => type))
  const declared = (type: string): string => {
    if (types.has(type)) return type
    throw new PeerplaneError('unknown-entity', `no entity "${type}" was declared`)
  }
  let closing: Promise<void> | undefined

  const doubtOfClock = (): string | undefined => {
    const { wroteLast } = space.log.status()
    const others = [...wroteLast].filter(([device]) => device !== membership.device)
    return clockDoubt(ports.clock.now(), {
      others: others.map(([, ms]) => ms),
      self: wroteLast.get(membership.device),
    })
  }
  const read = (): PlaneStatus => {
    const log = space.log.status()
    const sync = online.sync()?.status()
    const lost = losses.missing(space.log.stored())
    return {
      space: membership.space.record.id,
      device: membership.device,
      membership: membershipOf(founding),
      storage: status.storageFails() ? 'failing' : 'ok',
      commits: log.commits,
      lost,
      waiting: log.waiting.commits,
      forks: log.frozen.length,
      contradicted: log.contradicted.length,
      unreadable: log.unreadable.length,
      void: space.voids(),
      pendingCommands: invoker.pending(),
      online: online.wanted(),
      peers: (sync?.peers ?? []).map((peer) => ({
        device: peer.device,
        anchor: peer.anchor,
        path: peer.path,
        pending: peer.pending,
        behind: peer.behind,
        announced: log.commits - peer.pending + peer.behind,
      })),
      network: sync?.network,
      addresses: online.network()?.addresses() ?? [],
      lastError: status.lastError() ?? lossOf(lost) ?? sync?.lastError,
      clockDoubt: doubtOfClock(),
    }
  }
  status.start(read)
  const stopLog = space.log.watch(() => {
    // Something was stored, so what could not be read may be readable again.
    if (status.storageFails()) views.showAll()
    status.storageWorks()
    status.changed()
  })
  if (options.found === true) await founding.found()
  if (options.online ?? true) void online.set(true)

  const end = async (): Promise<void> => {
    try {
      // What was called before is decided while the space is open.
      await Promise.all([invoker.idle(), online.set(false)])
      stopLog()
      await space.close()
      await ports.store.close()
    } finally {
      status.stop()
      timers.stop()
    }
  }
  const open = <T>(value: () => T): T => {
    if (closing) throw new PeerplaneError('closed', 'the plane was closed')
    return value()
  }
  return {
    invoke: async (invocations, invokeOptions) =>
      open(() => invoker.invoke(invocations, invokeOptions)),
    outcome: async (operationId) => open(() => invoker.outcome(operationId)),
    settled: () => space.log.settled(),
    watchEntity: (type, id, listener) =>
      open(() => views.watchEntity(entityKey(declared(type), id), listener)),
    watchType: (type, query, listener) =>
      open(() => views.watchType(declared(type), query, listener)),
    list: async (type, query) =>
      open(() => space.read(() => space.entities.list(declared(type), query))),
    status: () => status.now(),
    watchStatus: status.watch,
    invite: async (hours, trustClock) =>
      open(async () => {
        const doubt = trustClock ? undefined : doubtOfClock()
        if (doubt !== undefined) throw doubtfulClock(ports.clock.now(), doubt)
        checkHours(hours)
        await founding.share()
        const own = online.network()?.addresses() ?? []
        return invite(ports, membership, hours, own.length > 0 ? own : membership.addresses)
      }),
    invited: async (invitation) =>
      open(() => isInvitedTo(founding.membership(), ports, invitation)),
    setOnline: async (wanted) => open(() => online.set(wanted)),
    hasten: () => space.log.hasten(),
    remembered: () =>
      founding.done()
        ? { membership: founding.membership(), held: seqsOf(space.log.stored()) }
        : undefined,
    close: () => (closing ??= end()),
  }
}

const doubtfulClock = (now: number, doubt: string): PeerplaneError =>
  new PeerplaneError(
    'wrong-clock',
    `the clock of this device says ${dateText(now)}, but ${doubt}`,
    {
      advice: 'Set the clock and invite again; or, if it is right, invite with `trustClock`.',
    },
  )
