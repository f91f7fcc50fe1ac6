import {
  PeerplaneError,
  freeze,
  toBase64Url,
  type Entity,
  type Json,
  type Random,
  type Scheduler,
  type Shape,
  type StateOf,
} from '@peerplane/core'

import { invokeReaders, takeInput, versionReader } from '../contract/invocation.ts'
import { takeOptions } from '../contract/options.ts'
import type { Backend } from '../contract/backend.ts'
import type { Durability, Invocation, InvokeOptions, Outcome } from '../contract/invocation.ts'
import type { Loaded } from '../contract/states.ts'
import type { Report } from '../ports.ts'
import { checkListener, distinct } from './listening.ts'
import { createAtomicRecorder, type ClientTarget } from './atomic-recorder.ts'
import { isBounded, takeWait, waitFor, waitReaders, type Wait } from './wait.ts'

/**
 * Options for calling a command. If the caller stops waiting for a command, the call rejects with `unknown`. A command whose call rejected with
 * `unknown` may still take effect; `Plane.outcome` returns its outcome.
 */
export interface CommandOptions extends InvokeOptions, Wait {
  /** The version of the entity that the caller saw. If the input of the command contains positions in texts, they are positions in this version. */
  readonly at?: string | undefined
}

/** The result of a command that succeeded. */
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

/** The state of an entity, as far as it is known without waiting. */
export type Known<State = Json> = { readonly phase: 'loading' } | Loaded<State>

/**
 * The members that every client of an entity has in addition to the commands of the entity. No command can have the name of a member of
 * `EntityMembers`. Future versions of Peerplane will reserve no other names.
 */
export interface EntityMembers<State> {
  readonly type: string
  readonly id: string
  /** Resolves with the state of the entity when the state is loaded. Rejects with `unreadable`, `aborted` or `timeout`. */
  state(wait?: Wait): Promise<State>
  /**
   * Returns the known state without waiting: `ready` with the state, `unreadable` with the problem, or `loading`. The state of an entity is known
   * only while the entity has a watch or a subscription. Until the state changes, `peek` returns the same object.
   */
  peek(): Known<State>
  /**
   * Calls `listener` with the state as soon as it is loaded, and after each change, until the returned function is called. The listener is never
   * called twice in a row with equal states. A command can refer to the state by its `version`. If the listener throws, the error is reported as
   * `listener-failed`.
   */
  subscribe(listener: (state: State, version: string) => void): () => void
  /** Calls `listener` with the result of {@link peek}, now and after each change, until the returned function is called. */
  watch(listener: (known: Known<State>) => void): () => void
  /** Always `undefined`, so that `await` does not mistake a client for a promise. */
  readonly then?: undefined
}

/** The object through which an application uses one entity of the space. */
export type EntityClient<E> =
  E extends Entity<Shape, infer C> ? CommandMethods<C> & EntityMembers<StateOf<E>> : never

/** The commands of an entity as methods inside `Plane.atomic`. Inside `Plane.atomic`, the methods only record the commands, which run later. */
export type RecordedOf<C> = {
  readonly [
    Name in keyof C as C[Name] extends (...args: infer _) => Promise<CommandOutcome<unknown>>
      ? Name
      : never
  ]: C[Name] extends (...args: infer Args) => unknown ? (...args: Args) => void : never
}

/** The parts that clients use. */
export interface ClientParts {
  readonly backend: Backend
  readonly report: Report
  readonly random: Random
  readonly scheduler: Scheduler
}

/** Makes the clients of one plane. */
export class Clients {
  readonly #parts: ClientParts
  readonly #targets = new WeakMap<object, ClientTarget>()
  readonly #recording = createAtomicRecorder((client) => this.#targets.get(client))
  /** What the open watches have shown, by entity. */
  readonly #known = new Map<string, { watches: number; known: Known }>()

  constructor(parts: ClientParts) {
    this.#parts = parts
  }

  /** Returns the client of one entity. */
  client(target: ClientTarget): object {
    const { type, id, commands } = target
    const methods = commands.map((name) => [
      name,
      (input?: unknown, options: unknown = {}) => {
        this.#recording.requireNone()
        return this.#call(target, name, input, options)
      },
    ])
    const own: EntityMembers<Json> = {
      type,
      id,
      state: (wait = {}) => this.#state(target, wait),
      peek: () => this.#known.get(keyOf(target))?.known ?? loading,
      subscribe: (listener) => this.#subscribe(target, listener),
      watch: (listener) => this.#watchKnown(target, listener),
    }
    const client = Object.freeze({ ...Object.fromEntries(methods), ...own })
    this.#targets.set(client, target)
    return client
  }

  /** See {@link Plane.atomic}. Throws immediately if it is called inside another call of `atomic`. */
  atomic(record: unknown, options: unknown): Promise<Outcome> {
    this.#recording.requireNone()
    return this.#atomic(record, options)
  }

  async #atomic(record: unknown, given: unknown): Promise<Outcome> {
    const invocations = this.#recording.record(record)
    const { signal, timeoutMs, ...options } = takeOptions<InvokeOptions & Wait>(given, {
      ...invokeReaders,
      ...waitReaders,
    })
    return this.#invoke(invocations, options, { signal, timeoutMs })
  }

  async #call(
    { type, id }: ClientTarget,
    command: string,
    given: unknown,
    options: unknown,
  ): Promise<CommandOutcome<unknown>> {
    const input = takeInput(given)
    const { at, signal, timeoutMs, ...how } = takeOptions<CommandOptions>(options, commandReaders)
    const invocation: Invocation = { type, id, command, input, at }
    const outcome = await this.#invoke([invocation], how, { signal, timeoutMs })
    const { commit, durability, replies } = outcome
    return { commit, durability, reply: replies[0] }
  }

  /** If the caller stops waiting, it gets an error with the code `unknown` and an operation id. */
  async #invoke(
    invocations: readonly Invocation[],
    options: InvokeOptions,
    wait: Wait,
  ): Promise<Outcome> {
    const { backend, random, scheduler } = this.#parts
    if (!isBounded(wait)) return freeze(await backend.invoke(invocations, options))
    const operationId = options.operationId ?? toBase64Url(random.bytes(16))
    const invoke = (): Promise<Outcome> => backend.invoke(invocations, { ...options, operationId })
    const outcome = await waitFor(invoke, wait, scheduler, (cause) => {
      const reason = 'the caller no longer waits for the answer of a command'
      return new PeerplaneError('unknown', reason, { operationId, cause })
    })
    return freeze(outcome)
  }

  async #state(target: ClientTarget, given: unknown): Promise<Json> {
    const wait = takeWait(given)
    const { promise, resolve } = Promise.withResolvers<Loaded>()
    const stop = this.#open(target, resolve)
    try {
      const entity = await waitFor(() => promise, wait, this.#parts.scheduler)
      if (entity.phase === 'ready') return entity.state
      throw new PeerplaneError('unreadable', entity.problem.message)
    } finally {
      stop()
    }
  }

  #subscribe(target: ClientTarget, listener: (state: Json, version: string) => void): () => void {
    const show = distinct(checkListener(listener), this.#parts.report)
    return this.#open(target, (entity) => {
      if (entity.phase === 'ready') show(entity.state, entity.version)
    })
  }

  #watchKnown(target: ClientTarget, listener: (known: Known) => void): () => void {
    const show = distinct(checkListener(listener), this.#parts.report)
    const stop = this.#open(target, show)
    show(this.#known.get(keyOf(target))!.known)
    return stop
  }

  /** Watches an entity, and remembers what was shown while the entity has a watch. */
  #open(target: ClientTarget, listener: (entity: Loaded) => void): () => void {
    const { type, id } = target
    const key = keyOf(target)
    const entry = this.#known.get(key) ?? { watches: 0, known: loading }
    this.#known.set(key, entry)
    entry.watches++
    let isOpen = true
    const stop = this.#parts.backend.watchEntity(type, id, (entity) => {
      if (!isOpen) return
      const next = freeze(entity)
      if (!equalKnown(entry.known, next)) entry.known = next
      listener(next)
    })
    return () => {
      if (!isOpen) return
      isOpen = false
      stop()
      entry.watches--
      if (entry.watches === 0) this.#known.delete(key)
    }
  }
}

const commandReaders = { ...invokeReaders, ...versionReader, ...waitReaders } as const

const loading: Known = Object.freeze({ phase: 'loading' })

const keyOf = ({ type, id }: ClientTarget): string => `${type}/${id}`

/** Whether the known state before may be returned instead of the next one, so that an equal state stays the same object. */
function equalKnown(before: Known, next: Loaded): boolean {
  return (
    before.phase === 'ready' &&
    next.phase === 'ready' &&
    before.state === next.state &&
    before.version === next.version &&
    before.pending === next.pending
  )
}
