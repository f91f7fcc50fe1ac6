import { describe } from '../describe.ts'
import { PeerplaneError, reasonOf } from '../errors.ts'
import type { Json } from '../json.ts'
import { limits } from '../limits.ts'
import { copyPlain, freeze, isPlain, reading, type PlainBounds } from '../plain.ts'

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
  readonly register: RegisterShape<Json>
  readonly set: SetShape<string | number>
  readonly map: MapShape<Shape>
  readonly record: RecordShape<Fields>
  readonly document: DocumentShape<{ readonly [key: string]: Json }>
}

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

/** One value. After concurrent writes, a register has the value with the latest hybrid timestamp. */
export interface RegisterHandle<T extends Json> {
  readonly value: T
  /** Sets the value. Makes no op if the current value is equal and was set by this device since it opened the store. */
  set(value: T): void
}

/** An add-wins set: an element stays if one device removes it while another device adds it. */
export interface SetHandle<T extends string | number> {
  readonly values: readonly T[]
  has(element: T): boolean
  /** Adds an element. Changes nothing if this device has added the element since it opened the store, and nobody has deleted the element. */
  add(element: T): void
  delete(element: T): void
}

/**
 * An observed-remove map: removing a key undoes only those changes that the removing device had seen. If another device changes the value
 * concurrently with the removal, this change is kept, and so is the key.
 */
export interface MapHandle<Handle> {
  readonly keys: readonly string[]
  has(key: string): boolean
  /** Returns the handle of the value at `key`. If the key has no value, the first change through its handle creates the value. */
  get(key: string): Handle
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

export interface CounterShape extends Shape<CounterHandle, number> {
  readonly kind: 'counter'
}
export interface RegisterShape<T extends Json> extends Shape<RegisterHandle<T>, T> {
  readonly kind: 'register'
  readonly initial: T
}
export interface SetShape<T extends string | number> extends Shape<SetHandle<T>, readonly T[]> {
  readonly kind: 'set'
}
export interface MapShape<S extends Shape> extends Shape<
  MapHandle<HandleOf<S>>,
  { readonly [key: string]: MirrorOf<S> }
> {
  readonly kind: 'map'
  readonly value: S
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

/** Named shapes. */
export interface Fields {
  readonly [name: string]: Shape
}

/** Declares a counter that starts at 0. */
export const counter = (): CounterShape => ({ kind: 'counter' })

/** Declares a last-writer-wins register with the value `initial`. Throws `invalid-declaration` if `initial` is not JSON. */
export const register = <T extends Json>(initial: T): RegisterShape<Widen<T>> => ({
  kind: 'register',
  initial: takeInitial(initial, 'a register') as Widen<T>,
})

/** Declares an add-wins set of strings or numbers, which is initially empty. */
export const set = <T extends string | number = string>(): SetShape<T> => ({ kind: 'set' })

/** Declares a map from strings to values of shape `value`. Throws `invalid-declaration` if `value` is not a shape. */
export const map = <S extends Shape>(value: S): MapShape<S> =>
  declaring('the value of a map', () => {
    checkShape(value, 'the value of a map', 1)
    return { kind: 'map', value }
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

/** Checks that `shape` and everything in it are valid shapes. Throws `invalid-declaration` with a message that calls the shape `what`. */
export function checkShape(shape: unknown, what: string, depth = 0): void {
  const given = (typeof shape === 'object' && shape !== null ? shape : {}) as Given
  if (depth > limits.valueDepth) throw invalid(`${what} is nested too deeply`)
  const { kind } = given
  if (typeof kind !== 'string' || !Object.hasOwn(partChecks, kind)) {
    throw invalid(`${what} is a shape such as counter() or record({}), not ${describe(shape)}`)
  }
  if (depth > 0 && kind === 'document') {
    throw invalid(`${what} is a document inside a record or map: declare it as an entity`)
  }
  partChecks[kind as ShapeKind](given, what, depth + 1)
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
  register: ({ initial }, what) => void takeInitial(initial, what),
  set: () => undefined,
  map: ({ value }, what, depth) => checkShape(value, what, depth),
  record: ({ fields }, what, depth) => checkFields(fields, what, depth),
  document: ({ initial }, what) => void takeInitial(initial, what),
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
