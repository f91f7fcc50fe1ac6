import {
  checkName,
  describe,
  freeze,
  PeerplaneError,
  type Entity,
  type Random,
  type Scheduler,
  type StateOf,
} from '@peerplane/core'
import type { ListQuery } from '@peerplane/crdt-store'

import { systemRandom } from '../adapters/random.ts'
import { systemReport } from '../adapters/report.ts'
import { systemScheduler } from '../adapters/scheduler.ts'
import { invitationReaders, type InvitationOptions } from '../contract/backend.ts'
import { takeOptions } from '../contract/options.ts'
import { takeQuery } from '../contract/states.ts'
import type { Backend } from '../contract/backend.ts'
import type { InvokeOptions, Outcome } from '../contract/invocation.ts'
import type { ListedEntity } from '../contract/states.ts'
import type { PlaneStatus } from '../contract/status.ts'
import type { Report } from '../ports.ts'
import { Clients, type EntityClient, type RecordedOf } from './client.ts'
import { checkListener, distinct } from './listening.ts'
import { takeWait, waitFor, waitReaders, type Wait } from './wait.ts'

/**
 * What an application opens on a device: the runtime, its storage, its network.
 *
 * Arguments are copied and checked at the call. An invalid argument is refused with `invalid-input`: functions that return a
 * promise reject, others throw. Everything that a plane returns is frozen.
 *
 * Every function that returns a promise takes a {@link Wait}: a caller that no longer waits gets `aborted` or `timeout`. That ends the
 * waiting, not the operation.
 */
export interface Plane {
  /** The entity `id`; nothing is loaded yet. Throws `unknown-entity` or `invalid-input`. */
  get<E extends Entity>(entity: E, id: string): EntityClient<E>
  /** Entities of a type, in the order of their ids, from their rows: nothing is folded. */
  list<E extends Entity>(
    entity: E,
    query?: ListQuery,
    wait?: Wait,
  ): Promise<readonly ListedEntity<StateOf<E>>[]>
  /** Calls back with what {@link Plane.list} returns, now and after each change, never twice in a row with equal lists. */
  subscribe<E extends Entity>(
    entity: E,
    listener: (rows: readonly ListedEntity<StateOf<E>>[]) => void,
    query?: ListQuery,
  ): () => void
  /**
   * Runs several commands as one commit: every device sees all of their effects or none, also after a crash.
   *
   *     await plane.atomic((on) => { on(from).withdraw(5); on(to).deposit(5) })
   *
   * `record` runs at once, is synchronous and returns nothing. If it throws, the promise rejects with that and nothing is changed.
   */
  atomic(
    record: (on: <C extends object>(client: C) => RecordedOf<C>) => void | undefined,
    options?: InvokeOptions & Wait,
  ): Promise<Outcome>
  /**
   * The outcome of the commands that were called with an operation id, such as the id in an error with the code `unknown`. `undefined` means
   * that they did not run, and never will: calling them with this id is refused as `withdrawn` from then on. Holds for the latest
   * `limits.operations` operations of this device.
   */
  outcome(operationId: string, wait?: Wait): Promise<Outcome | undefined>
  /**
   * The status, with the effect of every command that was awaited before. What it says about other devices and tabs may be 200 ms old.
   * `undefined` until the first status is known.
   */
  status(): PlaneStatus | undefined
  /** Calls back with the status now and after each change. */
  onStatus(listener: (status: PlaneStatus) => void): () => void
  /**
   * An invitation for further devices, as text for the fragment of a link. Any device that has it can join within `hours`: 24 by default,
   * `limits.invitationHours` at most, by the clock of this device.
   *
   * Rejects with `invalid-input`, or `wrong-clock` if the clock of this device seems wrong: such an invitation would expire at once, or last
   * for years. `trustClock` makes the invitation anyway. Rejects with `not-allowed` for `anchor` on a device that may not make anchors.
   */
  invite(options?: InvitationOptions & Wait): Promise<string>
  /** Closes every connection and dials none until {@link Plane.goOnline}. */
  goOffline(wait?: Wait): Promise<void>
  goOnline(wait?: Wait): Promise<void>
  /**
   * Decides every command that was called before, makes everything durable and frees all resources. Later calls reject with `closed`. A
   * second call waits for the first.
   */
  close(wait?: Wait): Promise<void>
}

/** What a plane uses besides its backend; by default what the platform has. */
export interface PlaneTools {
  /** Called with what listeners of the application throw. */
  readonly report?: Report | undefined
  readonly random?: Random | undefined
  readonly scheduler?: Scheduler | undefined
}

/** A plane over a backend, for entity types that `takeDeclarations` gave. */
export function createPlane(
  entities: readonly Entity[],
  backend: Backend,
  { report = systemReport, random = systemRandom, scheduler = systemScheduler }: PlaneTools = {},
): Plane {
  const clients = new Clients({ backend, report, random, scheduler })
  let latest: PlaneStatus | undefined
  const stopStatus = backend.watchStatus((status) => {
    latest = handedOut(status)
  })
  const known = knownAmong(entities)
  const waited = <T>(task: () => Promise<T>, options: unknown): Promise<T> =>
    waitFor(task, takeWait(options), scheduler)
  return {
    get: (entity, id) => {
      const { type, commands } = known(entity)
      const target = { type, id: checkName(id, 'an entity id'), commands: Object.keys(commands) }
      return clients.client(target) as never
    },
    list: async (entity, query = {}, wait = {}) => {
      const { type } = known(entity)
      const taken = takeQuery(query)
      return freeze(await waited(() => backend.list(type, taken), wait)) as never
    },
    subscribe: (entity, listener, query = {}) => {
      const show = distinct(
        checkListener(listener) as (rows: readonly ListedEntity[]) => void,
        report,
      )
      const { type } = known(entity)
      return backend.watchType(type, takeQuery(query), (rows) => show(freeze(rows)))
    },
    atomic: (record, options = {}) => clients.atomic(record, options),
    outcome: async (operationId, wait = {}) => {
      checkName(operationId, 'an operation id')
      return waited(() => backend.outcome(operationId), wait)
    },
    status: () => {
      const now = backend.status?.()
      return now ? handedOut(now) : latest
    },
    onStatus: (listener) => {
      const show = distinct(checkListener(listener), report)
      return backend.watchStatus((status) => show(handedOut(status)))
    },
    invite: async (options = {}) => {
      const { hours, trustClock, anchor, ...wait } = takeOptions<InvitationOptions & Wait>(
        options,
        { ...invitationReaders, ...waitReaders },
      )
      return waitFor(() => backend.invite({ hours, trustClock, anchor }), wait, scheduler)
    },
    goOffline: async (wait = {}) => waited(() => backend.setOnline(false), wait),
    goOnline: async (wait = {}) => waited(() => backend.setOnline(true), wait),
    close: async (wait = {}) => {
      const close = (): Promise<void> => {
        stopStatus()
        return backend.close()
      }
      await waited(close, wait)
    },
  }
}

/** Finds declarations. Throws `unknown-entity` for what was not declared. */
function knownAmong(entities: readonly Entity[]): (entity: unknown) => Entity {
  const declared = new Map(entities.map((each) => [each.type, each]))
  return (entity) => {
    const type = typeOf(entity)
    const found = typeof type === 'string' ? declared.get(type) : undefined
    if (found) return found
    const what = type === undefined ? describe(entity) : `entity ${describe(type)}`
    throw new PeerplaneError('unknown-entity', `${what} was not passed to open`)
  }
}

/** The type of what may be an entity; a proxy may refuse to say it. */
function typeOf(entity: unknown): unknown {
  try {
    return (entity as Partial<Entity> | null | undefined)?.type
  } catch {
    // Ignored: what has no readable type is refused as no entity.
    return undefined
  }
}

/** A frozen copy: a status may share parts with what it describes. */
const handedOut = (status: PlaneStatus): PlaneStatus => freeze(structuredClone(status))
