import type { StandardSchemaV1 } from '@standard-schema/spec'

import { describe } from '../describe.ts'
import { PeerplaneError, reasonOf } from '../errors.ts'
import type { DeviceId } from '../ids.ts'
import { limits } from '../limits.ts'
import { isPlain, reading } from '../plain.ts'
import { Layout, type StoredShape } from './layout.ts'
import { takeMigrations, type Migrations } from './migrations.ts'
import { isWriterShape, StateHistory } from './state-history.ts'
import {
  checkShape,
  checkWins,
  type HandleOf,
  type MirrorOf,
  type Shape,
  type Wins,
} from './shapes.ts'
import { hasControls, mayName } from '../controls.ts'
import { utf8 } from '../text.ts'

/**
 * The context that a handler gets in addition to the state and the input. A handler must get the time and random ids only from its context, and must
 * not use the network.
 */
export interface CommandContext {
  /** Id of the entity. */
  readonly id: string
  /** The device on which the command runs. */
  readonly device: DeviceId
  /** The time of the command: milliseconds since 1970 on the hybrid clock of the device. */
  readonly now: number
  /** Returns a new unguessable id of 22 characters. */
  newId(): string
  /** Whether the entity exists: a command has changed it since it was last deleted. */
  readonly exists: boolean
  /**
   * Deletes the entity. Changes of the same command before the deletion have no effect. A later change creates the entity again, from the initial state.
   * If another device changes the entity concurrently, the option `wins` of the entity decides. Throws the rejection `not-writer` for events and values
   * that another device has written.
   */
  delete(): void
}

/**
 * The function that decides what a command does. A handler reads and changes `state`, may return a reply, and throws `Rejected` to refuse the
 * command. Handlers must be synchronous and must not have side effects.
 */
export type Handler<State, Input, Reply> = (
  state: State,
  input: Input,
  context: CommandContext,
) => Reply

/** A handler, with an optional schema that checks its input. */
export type Command<State, Input, Reply> = Handler<State, Input, Reply> & {
  readonly input?: StandardSchemaV1<unknown, Input>
}

/** The commands of an entity type, by name. `State` is the type of the state that the handlers of the commands get. */
export interface Commands<State> {
  readonly [name: string]: Handler<State, never, unknown> & {
    readonly input?: StandardSchemaV1<unknown, unknown>
  }
}

/** A declared entity type. */
export interface Entity<S extends Shape = Shape, C = object> {
  readonly type: string
  readonly state: S
  readonly consistency: 'causal'
  /** The version of the declared state: 1, plus 1 for each migration. */
  readonly version: number
  /** How the declared state has become what it is; `undefined` in version 1. */
  readonly migrations: Migrations | undefined
  /** What is left of an entity that one device deletes while another device changes it. Without it, `update`. */
  readonly wins?: Wins
  /** An entity that nobody has changed for this time is deleted. Without it, entities do not expire. */
  readonly expiresAfterMs?: number
  readonly commands: C
}

/** The type of the plain JSON state of an entity. */
export type StateOf<E> = E extends Entity<infer S, unknown> ? MirrorOf<S> : never

/** Commands whose handlers are synchronous. A handler that returns a promise or a generator does not compile. */
export type SynchronousCommands<C> = {
  readonly [Name in keyof C]: C[Name] extends (...args: never[]) => infer Reply
    ? Extract<Reply, Deferred> extends never
      ? unknown
      : 'a handler must not be asynchronous'
    : unknown
}

type Deferred = PromiseLike<unknown> | Iterator<unknown> | AsyncIterator<unknown>

/** Migrations whose last version is not what the state declares do not compile. */
type LeadTo<Last, S> =
  HandleOf<S> extends HandleOf<Last> ? unknown : 'the migrations do not lead to the declared state'

/**
 * Declares an entity type: its state, and the commands that change the state. If an earlier version of the app has declared the state in another
 * way, `migrations` tell how it has changed, and `version` is 1 plus the number of migrations. Both versions of the app can then edit the same
 * entities. A field that is only added needs no migration. If one device deletes an entity while another device changes it, the option `wins` decides:
 * with `update` (the default), the whole entity stays; with `removal`, the entity goes, and the change is lost. With `expiresAfterMs`, devices delete
 * entities that nobody has changed for this time; a change that the deleting device has not seen keeps the entity.
 *
 * Throws `invalid-declaration` if the name of the type does not match `[a-z][a-z0-9-.]*`, if the state is not a shape, if the migrations do not lead
 * to the state or to the version, if `expiresAfterMs` is too small, if a command is not a function, or if a command has a reserved name.
 */
export function entity<
  const S extends Shape,
  C extends Commands<HandleOf<S>>,
  Last extends Shape = S,
>(
  type: string,
  declaration: {
    readonly state: S
    readonly version?: number
    readonly migrations?: Migrations<Last> & LeadTo<Last, S>
    readonly wins?: Wins
    readonly expiresAfterMs?: number
    readonly commands: C & SynchronousCommands<C>
  },
): Entity<S, C> {
  return takeDeclaration(type, declaration) as Entity<S, C>
}

/**
 * Returns the shape in which the commits and rows of an entity hold its state, and how the declared state is read and written there. Without
 * migrations, this is the declared shape. Throws `invalid-declaration` if the migrations do not lead to the declared state.
 */
export function storedShape({ type, state, migrations }: Omit<Entity, 'commands'>): StoredShape {
  if (!migrations) return { shape: state, lens: { kind: 'same' } }
  const { first, steps } = migrations
  const what = `the state of entity "${type}"`
  if (isWriterShape(first)) return new StateHistory(first, steps).store(state, what)
  return Layout.store(first, Layout.after(first, steps), state, what)
}

/**
 * Makes a command with a schema that checks the input before the handler runs. The schema can come from any library that implements Standard Schema.
 * Throws `invalid-declaration`.
 */
export function command<State, Input, Reply>(
  input: StandardSchemaV1<unknown, Input>,
  handler: Handler<State, Input, Reply>,
): Command<State, Input, Reply> {
  const refused = `a command takes a Standard Schema and a handler, not ${describe(input)}`
  const judges = reading(
    () => isObjectOrFunction(input) && typeof input['~standard'].validate === 'function',
    () => invalid(refused),
  )
  if (!judges) throw invalid(refused)
  if (typeof handler !== 'function') throw invalid(`a handler cannot be ${describe(handler)}`)
  return Object.assign((...args: Parameters<typeof handler>) => handler(...args), { input })
}

/** Checks and copies the entity declarations that were passed to `open`. Each entity type may be declared only once. Throws `invalid-declaration`. */
export function takeDeclarations(entities: unknown): readonly Entity[] {
  const cannotBe = invalid(`entities are a list of declarations, not ${describe(entities)}`)
  const list = reading(
    () => Array.isArray(entities) && ([...entities] as unknown[]),
    () => cannotBe,
  )
  if (!list) throw cannotBe
  const types = new Set<string>()
  return list.map((each) => {
    const noEntity = invalid(`${describe(each)} is not an entity: declare one with entity()`)
    if (typeof each !== 'object' || each === null) throw noEntity
    const taken = takeDeclaration(
      reading(
        () => (each as Partial<Entity>).type,
        () => noEntity,
      ),
      each,
    )
    if (types.has(taken.type)) throw invalid(`two entities are called "${taken.type}"`)
    types.add(taken.type)
    return taken
  })
}

/**
 * Returns `name` if it has 1 to 256 bytes of well-formed UTF-8, no control characters and no part `.` or `..` between slashes. Throws `invalid-input` if the name is invalid. The message
 * of the error begins with `what`, a description of the name, such as `an entity id`.
 */
export function checkName(name: unknown, what: string): string {
  if (typeof name !== 'string') {
    throw new PeerplaneError('invalid-input', `${what} is a string, not ${describe(name)}`)
  }
  if (name === '' || name.length > limits.entityNameBytes || !name.isWellFormed()) {
    throw wrongSize(name, what)
  }
  // A UTF-16 unit takes at most three bytes, so short names need not be encoded.
  if (name.length * 3 > limits.entityNameBytes && utf8(name).length > limits.entityNameBytes) {
    throw wrongSize(name, what)
  }
  if (hasControls(name)) {
    const reason = `${what} has no control characters, line separators or bidirectional controls; ${describe(name)} has`
    throw new PeerplaneError('invalid-input', reason)
  }
  if (!mayName(name)) {
    const reason = `${what} has no part "." or ".." between slashes; ${describe(name)} has`
    throw new PeerplaneError('invalid-input', reason)
  }
  return name
}

function wrongSize(name: string, what: string): PeerplaneError {
  const reason = `${what} has 1 to ${limits.entityNameBytes} bytes of well-formed text; ${describe(name)} has not`
  return new PeerplaneError('invalid-input', reason)
}

function takeDeclaration(type: unknown, declaration: unknown): Entity {
  if (
    typeof type !== 'string' ||
    !/^[a-z][a-z0-9.-]*$/.test(type) ||
    type.length > limits.entityNameBytes
  ) {
    throw invalid(
      `${describe(type)} cannot name an entity type: use a-z, 0-9, dot and hyphen, starting with a letter`,
    )
  }
  if (typeof declaration !== 'object' || declaration === null) {
    throw invalid(`entity "${type}" is declared by ${describe(declaration)}`)
  }
  return reading(
    () => {
      const { state, version, migrations, wins, expiresAfterMs, commands } =
        declaration as Partial<Entity>
      checkShape(state, `the state of entity "${type}"`)
      checkWins(wins, `entity "${type}"`)
      const taken = {
        type,
        consistency: 'causal' as const,
        state: state!,
        ...takeHistory(version, migrations, type),
        ...(wins === undefined ? {} : { wins }),
        ...takeExpiry(expiresAfterMs, type),
        commands: takeCommands(commands, type),
      }
      storedShape(taken)
      return Object.freeze(taken)
    },
    (cause) => invalid(`the declaration of entity "${type}" cannot be read: ${reasonOf(cause)}`),
  )
}

function takeHistory(
  version: unknown,
  given: unknown,
  type: string,
): Pick<Entity, 'version' | 'migrations'> {
  const migrations = given === undefined ? undefined : takeMigrations(given)
  const steps = migrations?.steps.length ?? 0
  const declared = version === undefined ? 1 : version
  if (declared !== steps + 1) {
    throw invalid(
      `entity "${type}" has version ${describe(declared)}, and its ${steps} migrations lead to version ${steps + 1}`,
    )
  }
  return { version: steps + 1, migrations }
}

function takeExpiry(given: unknown, type: string): Pick<Entity, 'expiresAfterMs'> {
  if (given === undefined) return {}
  const least = limits.expiryLeastMs
  if (Number.isSafeInteger(given) && (given as number) >= least) {
    return { expiresAfterMs: given as number }
  }
  const what = `milliseconds of at least ${least}, not ${describe(given)}`
  throw invalid(`the entities of type "${type}" expire after a whole number of ${what}`)
}

function takeCommands(commands: unknown, type: string): object {
  if (typeof commands !== 'object' || commands === null || !isPlain(commands)) {
    throw invalid(
      `the commands of entity "${type}" are an object of functions, not ${describe(commands)}`,
    )
  }
  for (const [name, handler] of Object.entries(commands)) {
    if (name === '' || name.length > limits.entityNameBytes || !name.isWellFormed()) {
      throw invalid(`a command of entity "${type}" cannot be called ${describe(name)}`)
    }
    if (typeof handler !== 'function') {
      throw invalid(`command ${describe(name)} of entity "${type}" cannot be ${describe(handler)}`)
    }
    if (reservedNames.has(name)) {
      throw invalid(`entity "${type}" has a command "${name}", which every entity has as its own`)
    }
  }
  return Object.freeze({ ...commands })
}

const isObjectOrFunction = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function'

const invalid = (reason: string): PeerplaneError =>
  new PeerplaneError('invalid-declaration', reason)

/** The names of the members that every client of an entity has. No other names will be reserved, so that no command ever has to be renamed. */
const reservedNames = new Set(['id', 'type', 'state', 'peek', 'subscribe', 'watch', 'then'])
