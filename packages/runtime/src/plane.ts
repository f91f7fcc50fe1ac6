import {
  checkEntityId,
  PeerplaneError,
  type Entity,
  type Json,
  type Shape,
  type StateOf,
} from '@peerplane/core'
import type { ListQuery } from '@peerplane/crdt-store'

import type {
  Backend,
  Durability,
  EntityView,
  Invocation,
  InvokeOptions,
  Outcome,
  PlaneStatus,
  Row,
} from './backend.ts'
import { distinct, type Report } from './listening.ts'
import { systemReport } from './adapters/report.ts'

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

type Handlers = { readonly [name: string]: (...args: never[]) => unknown }
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

/** What an application opens on a device: the runtime, its storage, its network. */
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
   */
  atomic(
    record: (on: <C extends object>(client: C) => RecordedOf<C>) => void,
    options?: InvokeOptions,
  ): Promise<Outcome>
  /** The last known status; `undefined` until the first is known. */
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

/** A plane over a backend, for the given entity types. `report` takes what listeners of the application throw. */
export function createPlane(
  entities: readonly Entity[],
  backend: Backend,
  report: Report = systemReport,
): Plane {
  const declared = new Set(entities.map(({ type }) => type))
  let latest: PlaneStatus | undefined
  const stopStatus = backend.watchStatus((status) => {
    latest = status
  })
  const known = (entity: Entity): string => {
    if (!declared.has(entity.type)) {
      throw new PeerplaneError('unknown-entity', `entity "${entity.type}" was not passed to open`)
    }
    return entity.type
  }
  return {
    get: (entity, id) => {
      known(entity)
      checkEntityId(id)
      return createClient(entity, id, backend, report) as never
    },
    list: async (entity, query = {}) => (await backend.list(known(entity), query)) as never,
    subscribe: (entity, listener, query = {}) =>
      backend.watchType(
        known(entity),
        query,
        distinct(listener as (rows: readonly Row[]) => void, report),
      ),
    atomic: async (record, options = {}) => {
      const invocations: Invocation[] = []
      record((client) => recorderOf(client, invocations) as never)
      return backend.invoke(invocations, options)
    },
    status: () => latest,
    onStatus: (listener) => backend.watchStatus(distinct(listener, report)),
    invite: ({ hours = 24, trustClock = false } = {}) => backend.invite(hours, trustClock),
    goOffline: () => backend.setOnline(false),
    goOnline: () => backend.setOnline(true),
    close: async () => {
      stopStatus()
      await backend.close()
    },
  }
}

/** Which entity a client stands for, and its command names. */
const targets = new WeakMap<object, { readonly entity: Entity; readonly id: string }>()

function createClient(entity: Entity, id: string, backend: Backend, report: Report): object {
  const { type } = entity
  const invoke = async (
    name: string,
    input: Json | undefined,
    { at, ...options }: CommandOptions = {},
  ): Promise<CommandOutcome<unknown>> => {
    const outcome = await backend.invoke([{ type, id, command: name, input, at }], options)
    return { commit: outcome.commit, durability: outcome.durability, reply: outcome.replies[0] }
  }
  const client = {
    ...Object.fromEntries(
      Object.keys(entity.commands as Handlers).map((name) => [
        name,
        (input?: Json, options?: CommandOptions) => invoke(name, input, options),
      ]),
    ),
    type,
    id,
    subscribe: (listener: (state: Json, version: string) => void): (() => void) => {
      const show = distinct(listener, report)
      return backend.watchEntity(type, id, (view) => {
        if (view.local === 'ready') show(view.state, view.version)
      })
    },
    state: async (): Promise<Json> => {
      const view = await firstView(backend, type, id)
      if (view.local === 'ready') return view.state
      throw new PeerplaneError('unreadable', view.lastError?.message ?? `${type}/${id}`)
    },
    status: async () => {
      const { local, pendingCommands, lastError } = await firstView(backend, type, id)
      return { local, pendingCommands, lastError }
    },
  }
  targets.set(client, { entity, id })
  return client
}

function recorderOf(client: object, invocations: Invocation[]): object {
  const target = targets.get(client)
  if (!target) {
    throw new PeerplaneError('invalid-input', 'atomic takes clients that plane.get returned')
  }
  const { entity, id } = target
  return Object.fromEntries(
    Object.keys(entity.commands as Handlers).map((command) => [
      command,
      (input?: Json, { at }: CommandOptions = {}): void => {
        invocations.push({ type: entity.type, id, command, input, at })
      },
    ]),
  )
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
