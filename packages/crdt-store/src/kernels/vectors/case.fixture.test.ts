import {
  counter,
  map,
  record,
  register,
  set,
  type Json,
  type Shape,
  type Value,
} from '@peerplane/core'

/**
 * A body: its session, its seq, the milliseconds of its time, the commits that it names, its ops, its generation. `a2` is the second commit of
 * session a; `a2?` has another prefix. In place of ops, there may be all that the body holds.
 */
export type Written = readonly [
  by: string,
  seq: number,
  ms: number,
  names: string,
  ops: readonly Value[] | { readonly whole: Value },
  generation?: Value | undefined,
]

/** The device of a session, its parents, and its start. Without it, a session has the device with its own name, and no parents. */
export interface Begun {
  readonly device: string
  readonly parents: string
  readonly start?: number
}
export type Sessions = Readonly<Record<string, Begun>>

export interface Case {
  readonly what: string
  readonly shape: Shape
  readonly sessions?: Sessions
  readonly bodies: readonly Written[]
  readonly state: Json
  /** Whether the entity exists. */
  readonly exists?: false
  /** Whether an op was skipped. */
  readonly incomplete?: true
}

export const most = Number.MAX_SAFE_INTEGER
/** Lists in each other. */
export const nested = (levels: number, inner: Value = []): Value =>
  Array.from({ length: levels - 1 }).reduce<Value>((each) => [each], inner)
/** One level more than a value may have. */
export const tooDeep = nested(33)
export const shelf = map(record({ title: register('none'), votes: counter(), tags: set() }))
/** A session b of the device of session a, which comes after commit a1. */
export const afterA: Sessions = { b: { device: 'a', parents: 'a1', start: 1 } }
export const write = (value: Value, names: readonly number[] = []): Value => [0, value, names]

/** Keys begin with the session, in base64url. */
export const [inA, inB] = ['CgoKCgoKCgoKCgoKCgoKCg', 'CwsLCwsLCwsLCwsLCwsLCw']
