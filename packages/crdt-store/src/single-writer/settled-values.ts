import {
  compareTexts,
  encodeCanonical,
  isBytesValue,
  isPlain,
  jsonToValue,
  limits,
  PeerplaneError,
  setProperty,
  utf8,
  type Json,
} from '@peerplane/core'

/** How much a list or an object takes: bytes of its encoding, and levels of nesting. */
interface Size {
  readonly bytes: number
  readonly levels: number
}

/**
 * Takes values that functions of an app have made, like `copyJson`: valid, frozen, and with their keys in the order in which every device has them.
 *
 * Parts that were taken before are recognized and not copied again: a function that folds an event changes little of a large state.
 */
export class SettledValues {
  readonly #sizes = new WeakMap<object, Size>()

  /** Throws `invalid-input` for anything but JSON, and `too-large`. */
  take(value: unknown): Json {
    const taken = this.#take(value, limits.valueDepth)
    const bytes = this.#bytesOf(taken)
    if (bytes <= limits.valueBytes) return taken
    throw new PeerplaneError('too-large', `a value has ${bytes} bytes`)
  }

  /** How many bytes a valid value takes in the canonical encoding. */
  bytesOf(value: Json): number {
    return this.#bytesOf(this.#take(value, limits.valueDepth))
  }

  #take(value: unknown, depth: number): Json {
    if (typeof value !== 'object' || value === null) return leafOf(value)
    const known = this.#sizes.get(value)
    if (known && known.levels <= depth) return value as Json
    if (known || depth === 0) throw refused('is nested too deeply')
    return Array.isArray(value) ? this.#list(value, depth) : this.#object(value, depth)
  }

  #list(list: readonly unknown[], depth: number): Json {
    const copied: Json[] = []
    let [bytes, levels] = [headBytes(list.length), 1]
    // By index: a hole is not a value, and must not be passed over.
    for (let i = 0; i < list.length; i++) {
      const part = this.#take(list[i], depth - 1)
      copied.push(part)
      bytes += this.#bytesOf(part)
      levels = Math.max(levels, this.#levelsOf(part) + 1)
    }
    return this.#took(copied, { bytes, levels })
  }

  #object(object: object, depth: number): Json {
    if (!isPlain(object)) throw refused('is an object of a class')
    const keys = sortedKeys(object)
    const copied: { [key: string]: Json } = {}
    let [bytes, levels, count] = [0, 1, 0]
    for (const key of keys) {
      const value = (object as { readonly [key: string]: unknown })[key]
      if (value === undefined) continue
      const part = this.#take(value, depth - 1)
      setProperty(copied, key, part)
      bytes += bytesOfLeaf(key) + this.#bytesOf(part)
      levels = Math.max(levels, this.#levelsOf(part) + 1)
      count++
    }
    // In commits, bytes are a byte string.
    if (isBytesValue(copied)) bytes = encodeCanonical(jsonToValue(copied)).length
    else bytes += headBytes(count)
    return this.#took(copied, { bytes, levels })
  }

  #took(copied: Json & object, size: Size): Json {
    Object.freeze(copied)
    this.#sizes.set(copied, size)
    return copied
  }

  #bytesOf(taken: Json): number {
    return typeof taken === 'object' && taken !== null
      ? this.#sizes.get(taken)!.bytes
      : bytesOfLeaf(taken)
  }

  #levelsOf(taken: Json): number {
    return typeof taken === 'object' && taken !== null ? this.#sizes.get(taken)!.levels : 0
  }
}

/** The keys of an object in the order of the canonical encoding. */
function sortedKeys(object: object): string[] {
  const keys = Object.keys(object)
  let isSorted = true
  for (let i = 0; i < keys.length; i++) {
    if (!keys[i]!.isWellFormed()) throw refused('has a key that is not well-formed')
    isSorted &&= i === 0 || compareKeys(keys[i - 1]!, keys[i]!) < 0
  }
  return isSorted ? keys : keys.sort(compareKeys)
}

const compareKeys = (a: string, b: string): number =>
  textBytes(a) - textBytes(b) || compareTexts(a, b)

function leafOf(value: unknown): Json {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw refused('holds half of a surrogate pair')
    return value
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw refused(`is ${value}`)
    return value === 0 ? 0 : value
  }
  if (typeof value === 'boolean' || value === null) return value
  throw refused(`is a ${typeof value}`)
}

function bytesOfLeaf(leaf: Json): number {
  if (typeof leaf === 'string') {
    const length = textBytes(leaf)
    return headBytes(length) + length
  }
  if (typeof leaf !== 'number') return 1
  if (!Number.isSafeInteger(leaf)) return encodeCanonical(leaf).length
  return headBytes(leaf < 0 ? -1 - leaf : leaf)
}

/** Bytes of the head of a value with this argument. */
function headBytes(argument: number): number {
  if (argument < 24) return 1
  if (argument < 0x100) return 2
  if (argument < 0x10000) return 3
  return argument < 0x100000000 ? 5 : 9
}

function textBytes(text: string): number {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return utf8(text).length
  return text.length
}

const refused = (problem: string): PeerplaneError =>
  new PeerplaneError('invalid-input', `the value ${problem}`)
