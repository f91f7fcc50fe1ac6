import {
  checkName,
  describe,
  freeze,
  PeerplaneError,
  type Entity,
  type Json,
  type Shape,
  type StateOf,
} from '@peerplane/core'
import type { ListQuery } from '@peerplane/crdt-store'

import {
  checkListener,
  takeInput,
  takeInvitation,
  takeInvokeOptions,
  takeQuery,
  takeVersion,
} from '../contract/arguments.ts'

import type {
  Backend,
  Durability,
  EntityView,
  Invocation,
  InvokeOptions,
  Outcome,
  PlaneStatus,
  Row,
} from '../contract/backend.ts'
import type { Report } from '../ports.ts'
import { distinct } from './listening.ts'
import { systemReport } from '../adapters/report.ts'
import { createRecording, type Recording, type Target } from './recording.ts'

/** How to call a command. */
export interface CommandOptions extends InvokeOptions {
  /** The version of the entity that the caller saw: positions in texts refer to it. */
  readonly at?: string | undefined
}

/** What a command that was not refused resolves to. */
export interface CommandOutcome<Reply> {
  readonly commit: Outcome['commit']
  readonly durability: Durability
  readonly reply: Reply
}

type InputOf<H> = H extends (state: never, ...rest: infer Rest) => unknown
  ? Rest extends readonly [infer Input, ...unknown[]]
    ? Input
    : undefined
  : never
type Arguments<H, Options> =
  unknown extends InputOf<H>
    ? [input?: undefined, options?: Options]
    : undefined extends InputOf<H>
      ? [input?: InputOf<H>, options?: Options]
      : [input: InputOf<H>, options?: Options]
type ReplyOf<H> = H extends (...args: never[]) => infer Reply ? Reply : never

/** The commands of an entity as methods. */
export type CommandMethods<C> = {
  readonly [Name in keyof C]: (
    ...args: Arguments<C[Name], CommandOptions>
  ) => Promise<CommandOutcome<ReplyOf<C[Name]>>>
}

/** One entity of the space, as an application holds it. */
export type EntityClient<E> =
  E extends Entity<Shape, infer C>
    ? CommandMethods<C> & {
        readonly type: string
        readonly id: string
        /**
         * Calls back with the state as soon as it is loaded and after each change, never twice in a row with equal ones; `version` names
         * the state for commands that refer to it. A listener that throws is reported as `listener-failed`. The returned function ends it.
         */
        subscribe(listener: (state: StateOf<E>, version: string) => void): () => void
        /** The state once it is loaded. Rejects with `unreadable`. */
        state(): Promise<StateOf<E>>
        /** How the entity is here, as data. */
        status(): Promise<Omit<EntityView, 'state' | 'version'>>
      }
    : never

/**
 * What an application opens on a device: the runtime, its storage, its network.
 *
 * Whatever is passed is copied and checked at the call, and what does not fit is refused with `invalid-input`: by a function that returns a
 * promise through it, by others at once. Whatever is handed out is frozen.
 */
export interface Plane {
  /** The entity `id`; nothing is loaded yet. Throws `unknown-entity` or `invalid-input`. */
  get<E extends Entity>(entity: E, id: string): EntityClient<E>
  /** Entities of a type, in the order of their ids, from their rows: nothing is folded. */
  list<E extends Entity>(entity: E, query?: ListQuery): Promise<readonly Row<StateOf<E>>[]>
  /** Like {@link Plane.list}, again after each change, never twice in a row with equal rows. */
  subscribe<E extends Entity>(
    entity: E,
    listener: (rows: readonly Row<StateOf<E>>[]) => void,
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
    options?: InvokeOptions,
  ): Promise<Outcome>
  /**
   * What came of the commands that were called under an operation id, such as that of an error of the code `unknown`. `undefined` says that
   * they did not run, and they never will: under this id they are refused as `withdrawn` from now on. Holds for the latest
   * `limits.operations` operations of this device.
   */
  outcome(operationId: string): Promise<Outcome | undefined>
  /**
   * The status, with the effect of every command that was awaited before; of what other devices and tabs do it may be 200 ms old. `undefined`
   * until the first is known.
   */
  status(): PlaneStatus | undefined
  /** Calls back with the status now and after each change. */
  onStatus(listener: (status: PlaneStatus) => void): () => void
  /**
   * An invitation for further devices, as text for the fragment of a link. Whoever has it can join within `hours`: 24 by default,
   * `limits.invitationHours` at most, by the clock of this device.
   *
   * Rejects with `invalid-input`, or `wrong-clock` when something speaks against this clock: then the invitation would be dead at once, or
   * live for years. `trustClock` invites nevertheless.
   */
  invite(options?: { readonly hours?: number; readonly trustClock?: boolean }): Promise<string>
  /** Closes every connection and dials none until {@link Plane.goOnline}. */
  goOffline(): Promise<void>
  goOnline(): Promise<void>
  /**
   * Decides every command that was called before, makes everything durable and frees all resources. Later calls reject with `closed`. Called
   * again, it waits for the same.
   */
  close(): Promise<void>
}

/** The recorded commands of a client. */
export type RecordedOf<C> = {
  readonly [
    Name in keyof C as C[Name] extends (...args: infer _) => Promise<CommandOutcome<unknown>>
      ? Name
      : never
  ]: C[Name] extends (...args: infer Args) => unknown ? (...args: Args) => void : never
}

/** A plane over a backend, for entity types that `takeDeclarations` gave. `report` takes what listeners of the application throw. */
export function createPlane(
  entities: readonly Entity[],
  backend: Backend,
  report: Report = systemReport,
): Plane {
  const declared = new Map(entities.map((each) => [each.type, each]))
  const targets = new WeakMap<object, Target>()
  const recording = createRecording((client) =>
    typeof client === 'object' && client !== null ? targets.get(client) : undefined,
  )
  let latest: PlaneStatus | undefined
  const stopStatus = backend.watchStatus((status) => {
    latest = handedOut(status)
  })
  const known = (entity: unknown): Entity => {
    const type = typeOf(entity)
    const found = typeof type === 'string' ? declared.get(type) : undefined
    if (found) return found
    const what = type === undefined ? describe(entity) : `entity ${describe(type)}`
    throw new PeerplaneError('unknown-entity', `${what} was not passed to open`)
  }
  const atomic = async (record: unknown, options: unknown): Promise<Outcome> =>
    freeze(await backend.invoke(recording.record(record), takeInvokeOptions(options)))
  return {
    get: (entity, id) => {
      const { type, commands } = known(entity)
      const target = { type, id: checkName(id, 'an entity id'), commands: Object.keys(commands) }
      const client = createClient(target, backend, recording, report)
      targets.set(client, target)
      return client as never
    },
    list: async (entity, query = {}) =>
      freeze(await backend.list(known(entity).type, takeQuery(query))) as never,
    subscribe: (entity, listener, query = {}) => {
      const show = distinct(checkListener(listener) as (rows: readonly Row[]) => void, report)
      const { type } = known(entity)
      return backend.watchType(type, takeQuery(query), (rows) => show(freeze(rows)))
    },
    atomic: (record, options = {}) => {
      recording.requireNone()
      return atomic(record, options)
    },
    outcome: async (operationId) => backend.outcome(checkName(operationId, 'an operation id')),
    status: () => {
      const now = backend.status?.()
      return now ? handedOut(now) : latest
    },
    onStatus: (listener) => {
      const show = distinct(checkListener(listener), report)
      return backend.watchStatus((status) => show(handedOut(status)))
    },
    invite: async (options = {}) => {
      const { hours, trustClock } = takeInvitation(options)
      return backend.invite(hours, trustClock)
    },
    goOffline: () => backend.setOnline(false),
    goOnline: () => backend.setOnline(true),
    close: async () => {
      stopStatus()
      await backend.close()
    },
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

function createClient(
  { type, id, commands }: Target,
  backend: Backend,
  recording: Recording,
  report: Report,
): object {
  const invoke = async (
    command: string,
    given: unknown,
    options: unknown,
  ): Promise<CommandOutcome<unknown>> => {
    const input = takeInput(given)
    const invocation: Invocation = { type, id, command, input, at: takeVersion(options) }
    const outcome = await backend.invoke([invocation], takeInvokeOptions(options))
    const { commit, durability, replies } = freeze(outcome)
    return { commit, durability, reply: replies[0] }
  }
  return Object.freeze({
    ...Object.fromEntries(
      commands.map((name) => [
        name,
        (input?: unknown, options: unknown = {}) => {
          recording.requireNone()
          return invoke(name, input, options)
        },
      ]),
    ),
    type,
    id,
    subscribe: (listener: (state: Json, version: string) => void): (() => void) => {
      const show = distinct(checkListener(listener), report)
      return backend.watchEntity(type, id, (view) => {
        if (view.local === 'ready') show(freeze(view.state), view.version)
      })
    },
    state: async (): Promise<Json> => {
      const view = await firstView(backend, type, id)
      if (view.local === 'ready') return freeze(view.state)
      throw new PeerplaneError('unreadable', view.lastError?.message ?? `${type}/${id}`)
    },
    status: async () => {
      const { local, pendingCommands, lastError } = await firstView(backend, type, id)
      return { local, pendingCommands, lastError: lastError && { ...lastError } }
    },
  })
}

function firstView(backend: Backend, type: string, id: string): Promise<EntityView> {
  return new Promise((resolve) => {
    // A backend may call back before it returns how to end it.
    const ending = Promise.withResolvers<() => void>()
    const stop = backend.watchEntity(type, id, (view) => {
      resolve(view)
      void ending.promise.then((end) => end())
    })
    ending.resolve(stop)
  })
}
