import {
  asPeerplaneError,
  dateText,
  entityKey,
  HybridClock,
  PeerplaneError,
  Services,
  takeDeclarations,
  Timers,
  type Entity,
  type Service,
  type TraceFields,
} from '@peerplane/core'
import { checkedStore, type ClearableStore } from '@peerplane/crdt-store'

import type { InvitationOptions, LocalBackend } from './contract/backend.ts'
import { holdSpace } from './space/held-space.ts'
import { startExpiry } from './commands/expiry.ts'
import { Invoker } from './commands/invoker.ts'
import { traced } from './commands/traced.ts'
import { createFounding } from './membership/founding.ts'
import { loadLosses, seqsOf } from './membership/lost.ts'
import { checkHours } from './contract/backend.ts'
import {
  checkMayInvite,
  invite,
  isInvitedTo,
  loadKnownDevices,
  openMembership,
  type Remembered,
} from './membership/membership.ts'
import { createOnline } from './online.ts'
import { doubtOfClock, readStatus, type StatusParts } from './plane-status.ts'
import type { Ports } from './ports.ts'
import { createStatus, type StatusTeller } from './watching/status.ts'
import { Watches } from './watching/watches.ts'

/** Options with which a device opens its space. */
export interface RuntimeOptions {
  readonly entities: readonly Entity[]
  /**
   * An invitation, as text or as a link. Without an invitation, the space in the store is opened. If the store is empty and no invitation is given,
   * the first command founds a new space.
   */
  readonly join?: string | undefined
  /**
   * Whether this device becomes an anchor when it founds a space. If the device joins a space, the invitation decides whether the device becomes an
   * anchor. Default: false.
   */
  readonly anchor?: boolean | undefined
  /** Whether the plane goes online when it opens. Default: true. */
  readonly online?: boolean | undefined
  /**
   * Whether to found a new space as soon as an empty store is opened. A device that listens for connections needs the option `found`, because such a
   * device must belong to a space. Default: false, so the space is founded when this device makes its first commit or its first invitation.
   */
  readonly found?: boolean | undefined
  /**
   * The data that an earlier runtime of this device had in memory when its storage was lost. The runtime writes this data into the empty store, so
   * the device continues as the same device.
   */
  readonly remembered?: Remembered | undefined
  /** The start value of the count `undone` in the status: the last value of the previous runtime. Default: 0. */
  readonly undone?: number | undefined
}

/** A backend that can be opened again after its storage was lost. */
export interface Runtime extends LocalBackend {
  /** Returns the data that lets a later runtime, with a new store, continue as the same device. Returns `undefined` before the space is founded. */
  remembered(): Remembered | undefined
}

/**
 * Opens the runtime of one device. The runtime is the same in a browser tab, in a daemon and in an anchor. The runtime owns the store, and closes the
 * store when the runtime is closed.
 *
 * Resolves when local state can be read and written; the network starts afterwards. Rejects with an error code of the store, an error code of the
 * invitation, or `invalid-declaration`. If opening fails, the store is closed.
 */
export const openRuntime = (given: Ports, options: RuntimeOptions): Promise<Runtime> =>
  Services.open(given.trace, async (services) => {
    const timers = new Timers(given.scheduler)
    const store = checkedStore(given.store)
    const ports = { ...given, store, scheduler: timers }
    const status = createStatus(ports)
    services.add('timers', timers)
    services.add('status', status)
    services.add('storage', { stop: () => store.close() })
    const parts = await openParts(services, ports, options, status)
    if (options.found === true) await parts.founding.found()
    if (options.online ?? true) void parts.online.set(true)
    return backendOf(parts, async () => {
      await services.stop()
      ports.trace?.('plane.closed', {})
    })
  })

/** The connected parts of a runtime. */
interface Parts extends StatusParts {
  readonly ports: Ports
  readonly types: ReadonlySet<string>
  readonly watches: Watches
}

/** Opens the membership and the space that the store holds, and connects the parts with each other. */
async function openParts(
  services: Services,
  ports: Ports & { readonly store: ClearableStore },
  options: RuntimeOptions,
  status: StatusTeller,
): Promise<Parts> {
  const entities = takeDeclarations(options.entities)
  const opened = await openMembership(ports, options)
  const { membership } = opened
  const { clock, store, random, scheduler } = ports
  const failed = (error: unknown): void => status.fail(asPeerplaneError(error, 'store-failed'))
  const founding = createFounding(ports, opened, () => {
    status.changed()
    // A network that was wanted before there was a space.
    if (online.wanted()) void online.set(true)
  })
  const space = await holdSpace(services, ports, entities, membership, new HybridClock(clock), {
    changed: (keys) => watches.show(keys),
    reset: () => watches.showAll(),
    failed,
    closing: () => watches.stop(),
  })
  const invoker: Invoker = new Invoker({
    declared: entities,
    space,
    store,
    founding,
    device: membership.device,
    random,
    scheduler,
    undone: options.undone ?? 0,
    changed: (keys) => {
      status.changed()
      return watches.showNow(keys)
    },
    caughtUp: (keys) => watches.caughtUp(keys),
    settled: (keys) => {
      watches.showSettled(keys)
      status.changed()
    },
  })
  const watches: Watches = new Watches({
    space,
    ports,
    pendingOn: (key) => invoker.pendingOn(key),
    failed,
  })
  const known = await loadKnownDevices(ports)
  const losses = await loadLosses(ports, space.log.lost)
  const online = createOnline(ports, founding, known, space.log, status)
  const types = new Set(entities.map(({ type }) => type))
  const parts = {
    ports,
    clock,
    types,
    space,
    founding,
    invoker,
    watches,
    online,
    losses,
    status,
  }
  status.start(() => readStatus(parts))
  ports.trace?.('plane.opened', { ...openingOf(parts) })
  services.add('log watch', { stop: watchLog(parts) })
  services.add('network', { stop: () => online.set(false) })
  // What was called before is decided while the space is open.
  services.add('commands', { stop: () => invoker.idle() })
  services.add('expiry', expiryOf(parts, entities))
  return parts
}

const expiryOf = (
  { ports, space, founding, invoker }: Parts,
  declared: readonly Entity[],
): Service => {
  const { clock, random, scheduler } = ports
  return startExpiry({
    declared,
    space,
    clock,
    random,
    scheduler,
    doubtsClock: () => doubtOfClock({ clock, space, founding }) !== undefined,
    run: (invocations) => invoker.run(invocations),
  })
}

function watchLog({ space, status, watches }: Parts): () => void {
  return space.log.watch(() => {
    // Something was stored, so what could not be read may be readable again.
    if (status.storageFails()) watches.showAll()
    status.storageWorks()
    status.changed()
  })
}

const openingOf = (parts: Parts): TraceFields<'plane.opened'> => {
  const { space, device, membership, commits } = readStatus(parts)
  return { space, device, membership, commits }
}

/** Returns the backend of the runtime, which can be called until the runtime is closed. */
function backendOf(parts: Parts, end: () => Promise<void>): Runtime {
  const { ports, types, space, founding, invoker, watches, online, status } = parts
  let closing: Promise<void> | undefined
  const open = <T>(value: () => T): T => {
    if (closing) throw new PeerplaneError('closed', 'the plane was closed')
    return value()
  }
  const declared = (type: string): string => {
    if (types.has(type)) return type
    throw new PeerplaneError('unknown-entity', `no entity "${type}" was declared`)
  }
  return {
    invoke: traced(
      async (invocations, options) => open(() => invoker.invoke(invocations, options)),
      ports.trace,
      ports.clock,
    ),
    outcome: async (operationId) => open(() => invoker.outcome(operationId)),
    settled: () => space.log.settled(),
    watchEntity: (type, id, listener) =>
      open(() => watches.watchEntity(entityKey(declared(type), id), listener)),
    watchType: (type, query, listener) =>
      open(() => watches.watchType(declared(type), query, listener)),
    list: async (type, query) =>
      open(() => space.read(() => space.entities.list(declared(type), query))),
    status: () => status.now(),
    watchStatus: status.watch,
    invite: async (options) => open(() => inviteBy(parts, options)),
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

async function inviteBy(
  parts: Parts,
  { hours = 24, trustClock = false, anchor = false }: InvitationOptions,
): Promise<string> {
  const { ports, founding, online } = parts
  const doubt = trustClock ? undefined : doubtOfClock(parts)
  if (doubt !== undefined) throw doubtfulClock(ports.clock.now(), doubt)
  checkHours(hours)
  const role = anchor ? 'anchor' : 'member'
  checkMayInvite(founding.membership(), role)
  await founding.share()
  const membership = founding.membership()
  const own = online.network()?.addresses() ?? []
  ports.trace?.('invitation.made', { hours, role })
  return invite(ports, membership, {
    hours,
    role,
    addresses: own.length > 0 ? own : membership.addresses,
  })
}

const doubtfulClock = (now: number, doubt: string): PeerplaneError =>
  new PeerplaneError(
    'wrong-clock',
    `the clock of this device says ${dateText(now)}, but ${doubt}`,
    {
      advice: 'Set the clock and invite again; or, if it is right, invite with `trustClock`.',
    },
  )
