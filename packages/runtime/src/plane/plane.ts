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
 * The object that an application opens on a device: the runtime with its storage and its network.
 *
 * Every call of a plane first copies and checks its arguments. For an invalid argument, functions that return a promise reject with `invalid-input`,
 * and other functions throw `invalid-input`. All data that a plane returns is frozen.
 *
 * Every function that returns a promise accepts the options of {@link Wait}, which limit how long the caller waits. If the caller stops waiting, the
 * promise rejects with `aborted` or `timeout`, but the operation continues.
 */
export interface Plane {
  /** Returns a client for the entity `id`, without loading the entity. Throws `unknown-entity` or `invalid-input`. */
  get<E extends Entity>(entity: E, id: string): EntityClient<E>
  /** Lists entities of a type, in the order of their ids. The listed states are read from the store, and are not computed from the log. */
  list<E extends Entity>(
    entity: E,
    query?: ListQuery,
    wait?: Wait,
  ): Promise<readonly ListedEntity<StateOf<E>>[]>
  /**
   * Calls `listener` with the result of {@link Plane.list}, now and after each change. The listener is never called twice in a row with equal lists.
   */
  subscribe<E extends Entity>(
    entity: E,
    listener: (rows: readonly ListedEntity<StateOf<E>>[]) => void,
    query?: ListQuery,
  ): () => void
  /**
   * Runs several commands as one commit. Every device sees either all effects of the commands in one commit or none, even after a crash.
   *
   *     await plane.atomic((on) => { on(from).withdraw(5); on(to).deposit(5) })
   *
   * The function `record` is called immediately, must be synchronous, and must return nothing. If `record` throws, the promise rejects with the same
   * error, and nothing is changed.
   */
  atomic(
    record: (on: <C extends object>(client: C) => RecordedOf<C>) => void | undefined,
    options?: InvokeOptions & Wait,
  ): Promise<Outcome>
  /**
   * Resolves with the outcome of the commands that were called with `operationId`. An error with the code `unknown` contains the operation id of the
   * command whose outcome is not known. The outcome `undefined` means that the commands did not run and never will: later calls with this operation
   * id are refused as `withdrawn`. This device remembers the outcomes of its latest operations, at most `limits.operations` of them.
   */
  outcome(operationId: string, wait?: Wait): Promise<Outcome | undefined>
  /**
   * Returns the status of the plane. The status includes the effect of every command whose promise has resolved. In the status, information about
   * other devices and tabs may be up to 200 ms old. Returns `undefined` until the first status is known.
   */
  status(): PlaneStatus | undefined
  /** Calls `listener` with the status, now and after each change. */
  onStatus(listener: (status: PlaneStatus) => void): () => void
  /**
   * Makes an invitation to the space, as text for the fragment of a link. The invitation expires `hours` hours after the current time of this device.
   * Until the invitation expires, any device that has it can join the space. `hours` is 24 by default, and at most `limits.invitationHours`.
   *
   * Rejects with `invalid-input`, or with `wrong-clock` if the clock of this device seems wrong. An invitation with a wrong date could expire
   * immediately or last for years. With the option `trustClock`, the invitation is made even if the clock seems wrong. Rejects with `not-allowed` if
   * `anchor` is set and this device may not invite anchors.
   */
  invite(options?: InvitationOptions & Wait): Promise<string>
  /** Closes all connections. The plane dials no peer until {@link Plane.goOnline} is called. */
  goOffline(wait?: Wait): Promise<void>
  goOnline(wait?: Wait): Promise<void>
  /**
   * Waits for all commands that were called before, makes everything durable, and frees all resources. After `close`, calls of other functions reject
   * with `closed`. A second call of `close` waits for the first call.
   */
  close(wait?: Wait): Promise<void>
}

/**
 * What a plane uses in addition to its backend: error reporting, randomness and timers. By default, a plane uses the error reporting, the randomness
 * and the timers of the platform.
 */
export interface PlaneTools {
  /** Called with an error when a listener of the application throws. */
  readonly report?: Report | undefined
  readonly random?: Random | undefined
  readonly scheduler?: Scheduler | undefined
}

/** Makes a plane that runs all its operations on `backend`. The caller must have checked `entities` with `takeDeclarations`. */
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

/** Returns a function that finds the declaration of an entity type. The function throws `unknown-entity` for a type that was not declared. */
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

/** Returns the type of a value that may be an entity. Reading the type of a proxy may throw. */
function typeOf(entity: unknown): unknown {
  try {
    return (entity as Partial<Entity> | null | undefined)?.type
  } catch {
    // Ignored: what has no readable type is refused as no entity.
    return undefined
  }
}

/** Returns a frozen copy, because a status may share parts with the objects that it describes. */
const handedOut = (status: PlaneStatus): PlaneStatus => freeze(structuredClone(status))
