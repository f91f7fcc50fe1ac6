import { describe } from '../describe.ts'
import { PeerplaneError, reasonOf } from '../errors.ts'
import type { Json } from '../json.ts'
import { limits } from '../limits.ts'
import { copyPlain, freeze, isPlain, reading, type PlainBounds } from '../plain.ts'
import { utf8 } from '../text.ts'

/*
 * A shape says what kind of state an entity, or a field of it, has. It is plain data; the kernels that give it behaviour live elsewhere,
 * so declaring entities loads none of them. `Handle` is what a handler gets, `Mirror` the plain state that app code sees.
 */

declare const types: unique symbol

/**
 * All kinds of shapes. Code that differs by kind of shape uses tables with one entry for each kind, so a new kind does not compile until every table
 * has an entry for it.
 */
export interface ShapeKinds {
  readonly counter: CounterShape
  readonly 'grow-only-counter': GrowOnlyCounterShape
  readonly register: RegisterShape<Json, RegisterClock>
  readonly 'multi-value-register': MultiValueRegisterShape<Json>
  readonly flag: FlagShape
  readonly vote: VoteShape
  readonly set: SetShape<Json>
  readonly 'grow-only-set': GrowOnlySetShape<Json>
  readonly text: TextShape
  readonly map: MapShape<Shape>
  readonly list: ListShape<Shape>
  readonly tree: TreeShape<Shape>
  readonly record: RecordShape<Fields>
  readonly document: DocumentShape<{ readonly [key: string]: Json }>
  readonly events: EventsShape<Json, never>
  readonly value: ValueShape<Json>
}

/** The kinds of shapes that only an entity can have, and no field of a record or value of a map. */
export type WholeKind = 'document' | 'events' | 'value'

/** The name of a kind of shape, such as `counter` or `map`. */
export type ShapeKind = keyof ShapeKinds

/** The declared kind of state of an entity or of a field. The type parameters `Handle` and `Mirror` exist only for the compiler. */
export interface Shape<Handle = unknown, Mirror = unknown> {
  readonly kind: ShapeKind
  readonly [types]?: { readonly handle: Handle; readonly mirror: Mirror }
}

/** The object through which a handler reads and changes a state of shape `S`. */
export type HandleOf<S> = S extends Shape<infer Handle, unknown> ? Handle : never

/** The type of the plain JSON state of a shape `S`. */
export type MirrorOf<S> = S extends Shape<unknown, infer Mirror> ? Mirror : never

/** A counter: a number that is the sum of all increments on all devices, including concurrent ones. */
export interface CounterHandle {
  readonly value: number
  increment(by?: number): void
  decrement(by?: number): void
}

/** A grow-only counter: the sum of all increments on all devices. Nobody can lower a grow-only counter. */
export interface GrowOnlyCounterHandle {
  readonly value: number
  /** Adds a whole number that is not negative. */
  increment(by?: number): void
}

/**
 * Decides which value a register has after concurrent writes.
 *
 * - `default`: the value with the latest hybrid timestamp.
 * - `reverse`: the value with the earliest hybrid timestamp. When a value has been written, `set` changes nothing.
 * - `custom`: the value with the greatest clock. Each call of `set` passes a clock, and changes nothing if the clock is smaller than the clock of the
 *   current value.
 * - `custom-auto-increment`: as `custom`, but `set` increases a clock that is not greater than the clock of the current value.
 */
export type RegisterClock = 'default' | 'reverse' | 'custom' | 'custom-auto-increment'

/** One value. After concurrent writes, a register has the value with the latest hybrid timestamp, or with the clock `reverse` the earliest. */
export interface RegisterHandle<T extends Json> {
  readonly value: T
  /** Sets the value. Makes no op if the current value is equal and was set by this device since it opened the store. */
  set(value: T): void
}

/** One value with a clock, which is a whole number from 0 to 2^53 - 1. After concurrent writes, a register has the value with the greatest clock. */
export interface CustomClockHandle<T extends Json> {
  readonly value: T
  /** The clock of the current value; `undefined` if nobody has written a value. */
  readonly clock: number | undefined
  /** Sets the value. Changes nothing if `clock` is smaller than the clock of the current value. */
  set(value: T, clock: number): void
}

/** One value with a clock that increments itself. After concurrent writes, a register has the value with the greatest clock. */
export interface AutoIncrementHandle<T extends Json> {
  readonly value: T
  /** The clock of the current value; `undefined` if nobody has written a value. */
  readonly clock: number | undefined
  /** Sets the value, with `clock`, or with the clock of the current value plus 1 if that is greater. A clock is at most 2^53 - 1. */
  set(value: T, clock?: number): void
}

/** All values that were written concurrently. There is one value, unless devices have written different values at the same time. */
export interface MultiValueRegisterHandle<T extends Json> {
  /** The different values, the value with the latest hybrid timestamp first. */
  readonly values: readonly T[]
  /** Sets the value, and so resolves a conflict: `value` replaces all values that this device knows. */
  set(value: T): void
}

/** A flag is on or off, and is initially off. */
export interface FlagHandle {
  readonly value: boolean
  enable(): void
  disable(): void
}

/** A vote of devices: each device has at most one vote, which only this device can change. */
export interface VoteHandle {
  /** The votes by device id. */
  readonly votes: Votes
  /** The vote of this device; `undefined` if this device has not voted. */
  readonly selfVote: boolean | undefined
  /** The number of devices that have voted for. */
  readonly votesFor: number
  /** The number of devices that have voted. To count against other devices, pass `votes` to `countVotes`. */
  readonly voters: number
  /** Sets the vote of this device. */
  vote(vote: boolean): void
}

/** Votes by device id. */
export interface Votes {
  readonly [device: string]: boolean
}

/**
 * A text, which several devices can change at the same time. What each of them inserts stays together. Indices and counts are in UTF-16 code units, as in
 * a JavaScript string. A method throws `invalid-input` if the text has no such characters, or if the change would leave a lone surrogate.
 *
 * The parameter `at` is an index, or a position that `positionAt` returned.
 */
export interface TextHandle {
  readonly value: string
  readonly length: number
  /** Changes only those words that differ, so that concurrent changes of the text are kept. */
  set(text: string): void
  insert(at: number | string, text: string): void
  delete(at: number | string, count: number): void
  /** Replaces `deleteCount` characters with `text`. */
  splice(at: number | string, deleteCount: number, text: string): void
  /**
   * Returns the name of a position in the text: the position moves with the text around it, and has the same name on every device. If a text is inserted
   * exactly at the position, the position stays next to its neighbour: the character after it (`next`, the default) or the character before it
   * (`previous`). At the end of the text, a position with the neighbour `next` is always the end of the text; at the beginning, a position with the
   * neighbour `previous` is always the beginning.
   */
  positionAt(index: number, neighbour?: 'next' | 'previous'): string
  /** Returns the index at which a position is now. If the neighbour of the position was deleted, this is where the neighbour was. */
  indexOf(position: string): number
  toString(): string
}

/** A grow-only set: elements can be added, and nobody can delete an element. */
export interface GrowOnlySetHandle<T extends Json> {
  readonly values: readonly T[]
  has(element: T): boolean
  add(element: T): void
}

/** An add-wins set: an element stays if one device removes it while another device adds it. Elements are equal if they are equal as JSON data. */
export interface SetHandle<T extends Json> {
  readonly values: readonly T[]
  has(element: T): boolean
  /** Adds an element. Changes nothing if this device has added the element since it opened the store, and nobody has deleted the element. */
  add(element: T): void
  delete(element: T): void
}

/** What is left if one device removes something while another device changes it: `update` keeps it whole, `removal` removes it. */
export type Wins = 'update' | 'removal'

/**
 * A map from keys to values. A key exists from its first change to its removal. If another device changes the value of a key concurrently with its
 * removal, the whole entry stays, unless the map is declared with `wins: 'removal'`. If a key is changed again after its removal, its value begins
 * with the initial state.
 */
export interface MapHandle<Handle> {
  readonly keys: readonly string[]
  has(key: string): boolean
  /** Makes the key exist. Its value is in the initial state, unless the key already exists. */
  add(key: string): void
  /** Returns the handle of the value at `key`. If the key has no value, the first change through its handle creates the value. */
  get(key: string): Handle
  delete(key: string): void
}

/** Where an element of a list goes: to the beginning, to the end, or next to the element with the given key. */
export type Where = 'first' | 'last' | { readonly before: string } | { readonly after: string }

/** An element of a list, with the key that stays the same wherever the element moves. */
export interface Item<T> {
  readonly key: string
  readonly value: T
}

/**
 * A list. Each element has a key that never changes, and one place, however many devices move it at the same time. If another device changes or moves
 * an element concurrently with its deletion, the whole element stays, unless the list is declared with `wins: 'removal'`.
 *
 * A key that the list does not have is refused: the method throws `Rejected` with the rejection `absent`.
 */
export interface ListHandle<Handle> {
  /** The keys of the elements, in the order of the list. */
  readonly keys: readonly string[]
  get(key: string): Handle
  /** Inserts an element in the initial state; without `where` at the end. */
  insert(where?: Where): Item<Handle>
  move(key: string, where: Where): void
  /** Deletes an element. Does nothing if the list does not have it. */
  delete(key: string): void
}

/** A node of a tree, with the nodes below it. */
export interface TreeItem<T> extends Item<T> {
  readonly children: readonly TreeItem<T>[]
}

/**
 * A tree of nodes. Each node has a key that never changes, and one parent or none, however many devices move it at the same time. The children of a
 * node are ordered. Nodes without a parent are the top level of the tree. If another device changes or moves a node, or a node below it,
 * concurrently with its deletion, the node stays with all nodes below it, unless the tree is declared with `wins: 'removal'`.
 *
 * A key that the tree does not have is refused: the method throws `Rejected` with the rejection `absent`.
 */
export interface TreeHandle<Handle> {
  /** The keys of the children of a node, in their order; without `parent`, of the top level. */
  children(parent?: string): readonly string[]
  get(key: string): Handle
  /** Inserts a node in the initial state below `parent`, or on the top level; without `where` after all its siblings. */
  insert(parent?: string, where?: Where): Item<Handle>
  /**
   * Moves a node, with all nodes below it, below `parent`, or to the top level; without `where` after all its new siblings. Throws `Rejected` with the
   * rejection `cycle` if `parent` is the node or is below it.
   */
  move(key: string, parent?: string, where?: Where): void
  /** Deletes a node, with all nodes below it. Does nothing if the tree does not have it. */
  delete(key: string): void
}

/**
 * A document that the handler changes as if it were a plain object. An assignment of a text changes only those words that differ, so that concurrent
 * changes of the text are kept. An assignment of an object or a list replaces what stands at the place.
 */
export type DocumentHandle<T> = T & {
  /**
   * Replaces `deleteCount` characters at `at` of the text at `path` with `text`. The parameter `at` is an index, or a position that `positionAt`
   * returned. Indices and counts are in UTF-16 code units, as in a JavaScript string. Throws `invalid-input` if the change would leave a lone
   * surrogate in the text.
   */
  splice(
    path: readonly (string | number)[],
    at: number | string,
    deleteCount: number,
    text: string,
  ): void
  /**
   * Returns the name of a position in the text at `path`: the position moves with the text around it, and has the same name on every device. If a
   * text is inserted exactly at the position, the position stays next to its neighbour: the character after it (`next`, the default) or the
   * character before it (`previous`). At the end of the text, a position with the neighbour `next` is always the end of the text; at the
   * beginning, a position with the neighbour `previous` is always the beginning.
   */
  positionAt(
    path: readonly (string | number)[],
    index: number,
    neighbour?: 'next' | 'previous',
  ): string
  /**
   * Returns the index at which a position of the text at `path` is now. If the neighbour of the position was deleted, this is where the neighbour was.
   * Throws `invalid-input` if the text has no such position.
   */
  indexOf(path: readonly (string | number)[], position: string): number
}

/**
 * What the sessions of an entity with a single writer have written, each on top of what it had seen. If two of them went on from the same point, for
 * example after a backup was restored, each of them is a branch. The entity shows the branch whose session began to write last.
 */
export interface StateBranch<S extends Json> {
  /** Identifies the branch, until its writer writes again. */
  readonly key: string
  /** The device that has written the branch. */
  readonly writer: string
  /** The number of the last event, or of the last value. */
  readonly number: number
  readonly value: S
  /** Whether the branch has events that have no effect here: another version of the app has declared them, or folding them has failed. */
  readonly incomplete: boolean
}

/** A state that one device writes. */
export interface SingleWriterHandle<S extends Json> {
  readonly value: S
  /** Empty while nobody has written, and more than one while there is a conflict. The first branch is the one that is shown. */
  readonly branches: readonly StateBranch<S>[]
  /**
   * Goes on from the branch `key`, and ends the others. Makes this device the writer. A command calls it before it writes. Throws `Rejected`: `absent`
   * if there is no such branch, and `not-writer` if the id of the entity names another device.
   */
  choose(key: string): void
}

/** A value that one device sets as a whole. */
export interface ValueHandle<S extends Json> extends SingleWriterHandle<S> {
  /**
   * Sets the value. Throws `Rejected`: `not-writer` if another device is the writer, and `conflict` if the session has written a branch that is
   * not shown.
   */
  set(value: S): void
}

/** A state that is folded from the events of one device. */
export interface EventsHandle<S extends Json, E extends Events> extends SingleWriterHandle<S> {
  /**
   * Adds an event; without `event`, the event is `null`. Throws `Rejected`: `not-writer` if another device is the writer, and `conflict` if the session has written a branch that is
   * not shown.
   */
  emit<N extends keyof E & string>(
    name: N,
    ...event: null extends E[N] ? [event?: E[N]] : [event: E[N]]
  ): void
}

/** The events of a state, by name. */
export interface Events {
  readonly [name: string]: Json
}

export interface CounterShape extends Shape<CounterHandle, number> {
  readonly kind: 'counter'
}
export interface GrowOnlyCounterShape extends Shape<GrowOnlyCounterHandle, number> {
  readonly kind: 'grow-only-counter'
}
export interface RegisterShape<
  T extends Json,
  Clock extends RegisterClock = 'default',
> extends Shape<RegisterHandles<T>[Clock], T> {
  readonly kind: 'register'
  readonly initial: T
  /** `default` if missing. */
  readonly clock?: Clock
}
interface RegisterHandles<T extends Json> {
  readonly default: RegisterHandle<T>
  readonly reverse: RegisterHandle<T>
  readonly custom: CustomClockHandle<T>
  readonly 'custom-auto-increment': AutoIncrementHandle<T>
}
export interface MultiValueRegisterShape<T extends Json> extends Shape<
  MultiValueRegisterHandle<T>,
  readonly T[]
> {
  readonly kind: 'multi-value-register'
  readonly initial: T
}
export interface FlagShape extends Shape<FlagHandle, boolean> {
  readonly kind: 'flag'
  /** The state of a flag that one device enables while another device disables it. Without it, `enable`. */
  readonly wins?: FlagWins
}
/** What wins if one device enables a flag while another device disables it. */
export type FlagWins = 'enable' | 'disable'
export interface VoteShape extends Shape<VoteHandle, Votes> {
  readonly kind: 'vote'
}
export interface TextShape extends Shape<TextHandle, string> {
  readonly kind: 'text'
}
export interface GrowOnlySetShape<T extends Json> extends Shape<
  GrowOnlySetHandle<T>,
  readonly T[]
> {
  readonly kind: 'grow-only-set'
}
export interface SetShape<T extends Json> extends Shape<SetHandle<T>, readonly T[]> {
  readonly kind: 'set'
}
export interface MapShape<S extends Shape> extends Shape<
  MapHandle<HandleOf<S>>,
  { readonly [key: string]: MirrorOf<S> }
> {
  readonly kind: 'map'
  readonly value: S
  /** What is left of an entry that one device removes while another device changes it. Without it, `update`. */
  readonly wins?: Wins
}
export interface ListShape<S extends Shape> extends Shape<
  ListHandle<HandleOf<S>>,
  readonly Item<MirrorOf<S>>[]
> {
  readonly kind: 'list'
  readonly item: S
  /** What is left of an element that one device deletes while another device changes it. Without it, `update`. */
  readonly wins?: Wins
}
export interface TreeShape<S extends Shape> extends Shape<
  TreeHandle<HandleOf<S>>,
  readonly TreeItem<MirrorOf<S>>[]
> {
  readonly kind: 'tree'
  readonly node: S
  /** What is left of a node that one device deletes while another device changes it. Without it, `update`. */
  readonly wins?: Wins
}
export interface RecordShape<F extends Fields> extends Shape<
  { readonly [Name in keyof F]: HandleOf<F[Name]> },
  { readonly [Name in keyof F]: MirrorOf<F[Name]> }
> {
  readonly kind: 'record'
  readonly fields: F
}
export interface DocumentShape<T extends { readonly [key: string]: Json }> extends Shape<
  DocumentHandle<T>,
  T
> {
  readonly kind: 'document'
  readonly initial: T
}

export interface ValueShape<S extends Json> extends Shape<ValueHandle<S>, S> {
  readonly kind: 'value'
  readonly initial: S
}
export interface EventsShape<S extends Json, E extends Events> extends Shape<
  EventsHandle<S, E>,
  S
> {
  readonly kind: 'events'
  readonly initial: S
  readonly fold: { readonly [name: string]: (state: never, event: never) => Json }
}

/** What each event makes of the state, by the name of the event. */
export interface Folds<S extends Json> {
  readonly [name: string]: (state: S, event: never) => S
}

/** The events of functions that fold them. An event that its function does not look at is `null`. */
export type EventsOf<F> = {
  readonly [Name in keyof F]: F[Name] extends (state: never, event: infer Event) => Json
    ? Event extends Json
      ? Event
      : null
    : never
}

/** Named shapes. */
export interface Fields {
  readonly [name: string]: Shape
}

/** The methods of a document. No member at the top of a document has one of these names. */
export const documentMethods = ['splice', 'positionAt', 'indexOf'] as const

/** Declares a counter that starts at 0. */
export const counter = (): CounterShape => ({ kind: 'counter' })

/** Declares a counter that starts at 0 and that nobody can lower. */
export const growOnlyCounter = (): GrowOnlyCounterShape => ({ kind: 'grow-only-counter' })

/**
 * Declares a last-writer-wins register with the value `initial`. The option `clock` decides which of several concurrent writes wins. Throws
 * `invalid-declaration` if `initial` is not JSON, or if there is no such clock.
 */
export const register = <T extends Json, Clock extends RegisterClock = 'default'>(
  initial: T,
  options: { readonly clock?: Clock } = {},
): RegisterShape<Widen<T>, Clock> =>
  declaring('a register', () => {
    const { clock } = checkOptions(options, 'a register')
    const taken = takeInitial(initial, 'a register') as Widen<T>
    checkClock(clock, 'a register')
    return clock === undefined
      ? { kind: 'register', initial: taken }
      : { kind: 'register', initial: taken, clock }
  })

/** Declares a register that has all values that were written concurrently. Throws `invalid-declaration` if `initial` is not JSON. */
export const multiValueRegister = <T extends Json>(
  initial: T,
): MultiValueRegisterShape<Widen<T>> => ({
  kind: 'multi-value-register',
  initial: takeInitial(initial, 'a multi-value register') as Widen<T>,
})

/**
 * Declares a flag that is initially off. If one device enables the flag while another device disables it, the flag is on; with
 * `{ wins: 'disable' }`, it is off. Throws `invalid-declaration` if `wins` has another value.
 */
export const flag = (options: { readonly wins?: FlagWins } = {}): FlagShape =>
  declaring('a flag', () => {
    const { wins } = checkOptions(options, 'a flag')
    checkFlagWins(wins, 'a flag')
    return wins === undefined ? { kind: 'flag' } : { kind: 'flag', wins }
  })

/** Declares a vote, in which no device has voted initially. */
export const vote = (): VoteShape => ({ kind: 'vote' })

/** Declares an add-wins set of JSON values, which is initially empty. */
export const set = <T extends Json = string>(): SetShape<T> => ({ kind: 'set' })

/** Declares a set of JSON values, which is initially empty, and from which nobody can delete an element. */
export const growOnlySet = <T extends Json = string>(): GrowOnlySetShape<T> => ({
  kind: 'grow-only-set',
})

/** Declares a text, which is initially empty. */
export const text = (): TextShape => ({ kind: 'text' })

/**
 * Declares a map from strings to values of shape `value`. If one device removes an entry while another device changes it, the option `wins` decides:
 * with `update` (the default), the whole entry stays; with `removal`, the entry goes, and the change is lost.
 *
 * Throws `invalid-declaration` if `value` is not a shape, or if `wins` is something else.
 */
export const map = <S extends Shape>(
  value: S,
  options: { readonly wins?: Wins } = {},
): MapShape<S> =>
  declaring('a map', () => {
    const { wins } = options
    checkShape(value, 'the value of a map', 1)
    checkWins(wins, 'a map')
    return wins === undefined ? { kind: 'map', value } : { kind: 'map', value, wins }
  })

/**
 * Declares a list of values of shape `item`, which is initially empty. The option `wins` decides what is left of an element that one device deletes
 * while another device changes or moves it: with `update` (the default), the whole element stays; with `removal`, the element goes.
 *
 * Throws `invalid-declaration` if `item` is not a shape, or if `wins` is something else.
 */
export const list = <S extends Shape>(
  item: S,
  options: { readonly wins?: Wins } = {},
): ListShape<S> =>
  declaring('a list', () => {
    const { wins } = options
    checkShape(item, 'an element of a list', 1)
    checkWins(wins, 'a list')
    return wins === undefined ? { kind: 'list', item } : { kind: 'list', item, wins }
  })

/**
 * Declares a tree of nodes with values of shape `node`, which is initially empty. The option `wins` decides what is left of a node that one device
 * deletes while another device changes or moves it: with `update` (the default), the whole node stays; with `removal`, the node goes.
 *
 * Throws `invalid-declaration` if `node` is not a shape, or if `wins` is something else.
 */
export const tree = <S extends Shape>(
  node: S,
  options: { readonly wins?: Wins } = {},
): TreeShape<S> =>
  declaring('a tree', () => {
    const { wins } = options
    checkShape(node, 'a node of a tree', 1)
    checkWins(wins, 'a tree')
    return wins === undefined ? { kind: 'tree', node } : { kind: 'tree', node, wins }
  })

/** Declares a record with a shape for each field. Throws `invalid-declaration` if a field is not a shape. */
export const record = <F extends Fields>(fields: F): RecordShape<F> =>
  declaring('the fields of a record', () => {
    checkFields(fields, 'a record', 1)
    return { kind: 'record', fields: Object.freeze({ ...fields }) }
  })

/**
 * Declares a document, which can contain text, nested data and lists. The initial state of the document is `initial`. The code for documents is
 * loaded only when the first document is opened. Throws `invalid-declaration` if `initial` is not a JSON object.
 */
export const document = <T extends { readonly [key: string]: Json }>(
  initial: T,
): DocumentShape<T> => {
  const taken = takeInitial(initial, 'a document')
  if (typeof taken !== 'object' || taken === null || Array.isArray(taken)) {
    throw invalid(`a document starts as an object, not as ${describe(initial)}`)
  }
  return { kind: 'document', initial: taken as T }
}

/** Declares a value that one device sets as a whole. Throws `invalid-declaration` if `initial` is not JSON. */
export const value = <S extends Json>(initial: S): ValueShape<WidenAll<S>> => ({
  kind: 'value',
  initial: takeInitial(initial, 'a value') as WidenAll<S>,
})

/**
 * Declares a state that one device changes by events. For each event, `fold` has a pure function that returns the state after the event; it must not
 * change the state that it gets. Throws `invalid-declaration` if `initial` is not JSON, or if `fold` is not an object of functions.
 */
export const events = <S extends Json, F extends Folds<WidenAll<S>>>(
  initial: S,
  fold: F,
): EventsShape<WidenAll<S>, EventsOf<F>> =>
  declaring('the events of a state', () => {
    checkFolds(fold)
    return {
      kind: 'events',
      initial: takeInitial(initial, 'events') as WidenAll<S>,
      fold: Object.freeze({ ...fold }),
    }
  })

/** Checks that `shape` and everything in it are valid shapes. Throws `invalid-declaration` with a message that calls the shape `what`. */
export function checkShape(shape: unknown, what: string, depth = 0): void {
  const given = (typeof shape === 'object' && shape !== null ? shape : {}) as Given
  if (depth > limits.valueDepth) throw invalid(`${what} is nested too deeply`)
  const { kind } = given
  if (typeof kind !== 'string' || !Object.hasOwn(partChecks, kind)) {
    throw invalid(`${what} is a shape such as counter() or record({}), not ${describe(shape)}`)
  }
  const whole = Object.hasOwn(wholeKinds, kind) && wholeKinds[kind as WholeKind]
  if (depth > 0 && whole) {
    throw invalid(`${what} is ${whole} inside a record or map: declare it as an entity`)
  }
  partChecks[kind as ShapeKind](given, what, depth + 1)
}

/** What the kinds of shapes are called that only an entity can have. */
const wholeKinds: { readonly [Kind in WholeKind]: string } = {
  document: 'a document',
  events: 'a state with events',
  value: 'a value',
}

/** A value that may be a shape. */
interface Given {
  readonly [member: string]: unknown
}

/** For each kind of shape, checks the properties of the shape other than `kind`. */
const partChecks: {
  readonly [Kind in ShapeKind]: (given: Given, what: string, depth: number) => void
} = {
  counter: () => undefined,
  'grow-only-counter': () => undefined,
  register: ({ initial, clock }, what) => {
    takeInitial(initial, what)
    checkClock(clock, what)
  },
  'multi-value-register': ({ initial }, what) => void takeInitial(initial, what),
  flag: ({ wins }, what) => checkFlagWins(wins, what),
  vote: () => undefined,
  set: () => undefined,
  'grow-only-set': () => undefined,
  text: () => undefined,
  map: ({ value, wins }, what, depth) => {
    checkWins(wins, what)
    checkShape(value, what, depth)
  },
  list: ({ item, wins }, what, depth) => {
    checkWins(wins, what)
    checkShape(item, what, depth)
  },
  tree: ({ node, wins }, what, depth) => {
    checkWins(wins, what)
    checkShape(node, what, depth)
  },
  record: ({ fields }, what, depth) => checkFields(fields, what, depth),
  document: ({ initial }, what) => void takeInitial(initial, what),
  value: ({ initial }, what) => void takeInitial(initial, what),
  events: ({ initial, fold }, what) => {
    takeInitial(initial, what)
    checkFolds(fold)
  },
}

function checkFolds(fold: unknown): void {
  if (typeof fold !== 'object' || fold === null || !isPlain(fold)) {
    throw invalid(`events are an object of functions, not ${describe(fold)}`)
  }
  for (const [name, apply] of Object.entries(fold)) {
    if (name === '' || !name.isWellFormed() || utf8(name).length > limits.entityNameBytes) {
      throw invalid(`an event cannot be called ${describe(name)}`)
    }
    if (typeof apply !== 'function') {
      throw invalid(`event ${describe(name)} is folded by a function, not by ${describe(apply)}`)
    }
  }
}

/** Checks an option `wins`. Throws `invalid-declaration` with a message that says it belongs to `what`. */
export function checkWins(wins: unknown, what: string): void {
  if (wins === undefined || wins === 'update' || wins === 'removal') return
  throw invalid(`the option "wins" of ${what} is 'update' or 'removal', not ${describe(wins)}`)
}

function checkOptions<Options>(options: Options, what: string): Options {
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) return options
  throw invalid(`the options of ${what} are an object, not ${describe(options)}`)
}

function checkClock(clock: unknown, what: string): void {
  if (clock === undefined || clocks.some((each) => each === clock)) return
  const choices = clocks.map((each) => `'${each}'`).join(', ')
  throw invalid(`the option "clock" of ${what} is one of ${choices}, not ${describe(clock)}`)
}

const clocks: readonly RegisterClock[] = ['default', 'reverse', 'custom', 'custom-auto-increment']

function checkFlagWins(wins: unknown, what: string): void {
  if (wins === undefined || wins === 'enable' || wins === 'disable') return
  throw invalid(`the option "wins" of ${what} is 'enable' or 'disable', not ${describe(wins)}`)
}

function checkFields(fields: unknown, what: string, depth: number): void {
  if (typeof fields !== 'object' || fields === null || !isPlain(fields)) {
    throw invalid(`the fields of ${what} are an object of shapes, not ${describe(fields)}`)
  }
  for (const [name, shape] of Object.entries(fields)) {
    if (!name.isWellFormed() || name.length > limits.entityNameBytes) {
      throw invalid(`a field cannot be called ${describe(name)}`)
    }
    checkShape(shape, `field "${name}"`, depth)
  }
}

const declaring = <T>(what: string, read: () => T): T =>
  reading(read, (cause) => invalid(`${what} cannot be read: ${reasonOf(cause)}`))

/** Returns a frozen copy of an initial value. */
const takeInitial = (initial: unknown, what: string): Json =>
  freeze(copyPlain(initial, `the initial state of ${what}`, initialBounds, 'invalid-declaration'))

const initialBounds: PlainBounds = { depth: limits.valueDepth, size: limits.inputSize }

const invalid = (reason: string): PeerplaneError =>
  new PeerplaneError('invalid-declaration', reason)

/** The type of an initial value, widened: `''` stands for any text, `0` for any number. */
type Widen<T extends Json> = T extends string
  ? string
  : T extends number
    ? number
    : T extends boolean
      ? boolean
      : T

/**
 * The type of an initial value, widened: `''` stands for any text, `0` for any number, also inside objects and lists. A union, such as
 * `'light' | 'dark'`, can only be meant as it is.
 */
type WidenAll<T extends Json> =
  IsUnion<T> extends true
    ? T
    : T extends string
      ? string
      : T extends number
        ? number
        : T extends boolean
          ? boolean
          : T extends object
            ? { [Key in keyof T]: T[Key] extends Json ? WidenAll<T[Key]> : T[Key] }
            : T

type IsUnion<T, All = T> = T extends unknown ? ([All] extends [T] ? false : true) : never
