import {
  compareTexts,
  copyPlain,
  halfPair,
  limits,
  PeerplaneError,
  type Json,
} from '@peerplane/core'

/** {@link toPlain} of what a handler writes. As everywhere, members that are `undefined` are left out. */
export function takePlain(value: unknown, depth: number): Json {
  const bounds = { depth: limits.valueDepth - depth + 1, size: 2 * limits.documentCommandOps }
  return toPlain(copyPlain(value, 'a value of a document', bounds), depth)
}

/** How many operations of Automerge write `value`: one for each value, and for each character of a text. */
export function operationsOf(value: Json): number {
  if (typeof value === 'string') {
    let characters = 0
    for (const _ of value) characters++
    return 1 + characters
  }
  if (typeof value !== 'object' || value === null) return 1
  return Object.values(value).reduce<number>((sum, part) => sum + operationsOf(part), 1)
}

/**
 * A copy of `value` with sorted keys, as it will stand at `depth` of a document.
 *
 * Throws `invalid-input` for anything but JSON or what Automerge would change: dates, `undefined`, half of a surrogate pair, whole numbers
 * from 2^53; `too-large` below the depth limit.
 */
export function toPlain(value: unknown, depth: number): Json {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw halfPair()
    return value
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
      throw notJson(`the number ${value}`)
    }
    return value === 0 ? 0 : value
  }
  if (typeof value !== 'object') throw notJson(`a value of type ${typeof value}`)
  if (depth > limits.valueDepth) {
    throw new PeerplaneError('too-large', `a document has at most ${limits.valueDepth} levels`)
  }
  if (Array.isArray(value)) return Array.from(value, (item) => toPlain(item, depth + 1))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) throw notJson('an object of a class')
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => compareTexts(a, b))
      .map(([key, item]) => [checkKey(key), toPlain(item, depth + 1)]),
  )
}

/** How Automerge names the type of a value that is no container. */
export function typeOf(value: Json): 'int' | 'f64' | 'boolean' | 'null' {
  if (value === null) return 'null'
  if (typeof value === 'boolean') return 'boolean'
  return Number.isInteger(value) ? 'int' : 'f64'
}

/** `key`, unless it is the one that JavaScript objects cannot have as a plain member, or would be another one when it is stored. */
export function checkKey(key: string): string {
  if (!key.isWellFormed()) throw halfPair()
  if (key === '__proto__') throw notJson('the key "__proto__"')
  return key
}

/**
 * The frozen JSON of what Automerge materialised. Deterministic also for what no honest device writes: what is not JSON, and what
 * lies below the depth limit, is null.
 */
export function toMirror(value: unknown, depth = 0): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'bigint':
      return Number(value)
    case 'number':
      return Number.isFinite(value) ? value : null
    case 'object':
      break
    default:
      return null
  }
  if (value === null || depth > limits.valueDepth) return null
  if (Array.isArray(value)) return Object.freeze(value.map((item) => toMirror(item, depth + 1)))
  if (!isPlainObject(value)) {
    // A string that is one value and not a text stands in an object of a class.
    const inner = (value as { readonly val?: unknown }).val
    return typeof inner === 'string' ? inner : null
  }
  const mirror: Record<string, Json> = {}
  for (const key of Object.keys(value).sort(compareTexts)) {
    if (key !== '__proto__') mirror[key] = toMirror(value[key], depth + 1)
  }
  return Object.freeze(mirror)
}

function isPlainObject(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

const notJson = (what: string): PeerplaneError =>
  new PeerplaneError('invalid-input', `a document cannot hold ${what}`)
