import { limits } from '../limits.ts'

/** A value that somebody may pass where it does not belong, and its name in a failing test. */
export type AnyArgument = readonly [name: string, value: unknown]

/** What the functions among them throw. */
export const OWN = 'of the application'

const throwing = (): never => {
  throw new RangeError(OWN)
}

const data: readonly AnyArgument[] = [
  ['null', null],
  ['true', true],
  ['0', 0],
  ['1', 1],
  ['-1', -1],
  ['1.5', 1.5],
  ['1e300', 1e300],
  ['2 ** 53', 2 ** 53],
  ['an empty text', ''],
  ['a text', 'a'],
  ['a number as text', '1'],
  ['the name of a member of all objects', '__proto__'],
  ['the name of a method of all objects', 'toString'],
  ['a long text', 'x'.repeat(limits.entityNameBytes + 1)],
  ['a longer text', 'x'.repeat(limits.valueBytes + 1)],
  ['an empty list', []],
  ['a list', [1, 'a', null]],
  ['an empty object', {}],
  ['an object', { a: 1 }],
  ['an object without a prototype', Object.create(null)],
]

const { proxy: revoked, revoke } = Proxy.revocable({}, {})
revoke()
const cyclic: unknown[] = []
cyclic.push({ again: cyclic })

/** One of each kind that JavaScript has, and those on which code that expects another kind stumbles. */
export const anyArguments: readonly AnyArgument[] = [
  ...data,
  ['undefined', undefined],
  ['NaN', Number.NaN],
  ['endless', Infinity],
  ['a bigint', 10n],
  ['half of a surrogate pair', 'a\ud800'],
  ['the longest text', 'x'.repeat(limits.inputSize + 1)],
  ['a symbol', Symbol('a')],
  ['a function', () => undefined],
  ['a function that throws', throwing],
  ['a list of half a pair', ['\udc00']],
  ['a list with a hole', Array(1)],
  ['a cyclic list', cyclic],
  ['an object that converts itself', { valueOf: () => 1, toString: () => 'a' }],
  ['an object that throws', { valueOf: throwing, toString: throwing, toJSON: throwing }],
  ['a boxed text', Object('a')],
  ['a date', new globalThis.Date(0)],
  ['a map', new Map([['a', 1]])],
  ['bytes', new Uint8Array(1)],
  ['an error', new RangeError('a')],
  ['a promise', Promise.resolve(1)],
  ['a proxy that throws', new Proxy({}, { get: throwing, ownKeys: throwing, has: throwing })],
  ['a revoked proxy', revoked],
]

/** Whether an argument is JSON, of no more than an input holds. */
export const isData = (value: unknown): boolean => data.some(([, each]) => Object.is(each, value))

/** Whether an argument is a text that can name an entity or an operation. */
export const isName = (value: unknown): boolean =>
  typeof value === 'string' &&
  value !== '' &&
  value.length <= limits.entityNameBytes &&
  value.isWellFormed()

export const isUndefined = (value: unknown): boolean => value === undefined
export const isFunction = (value: unknown): boolean => typeof value === 'function'

/** Whether an argument is an object whose members can be read. */
export function isOptions(value: unknown): boolean {
  try {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
    Object.entries(value)
    return true
  } catch {
    return false
  }
}

/** Whether one of `kinds` holds. */
export const either =
  (...kinds: readonly ((value: unknown) => boolean)[]) =>
  (value: unknown): boolean =>
    kinds.some((holds) => holds(value))
