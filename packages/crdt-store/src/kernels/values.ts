import {
  compareTexts,
  copyPlain,
  decodeCanonical,
  encodeCanonical,
  freeze,
  jsonToValue,
  limits,
  PeerplaneError,
  utf8,
  valueToJson,
  type Json,
  type PlainBounds,
  type Value,
} from '@peerplane/core'

import { Void } from './void.ts'

/**
 * A frozen copy of a value that a handler writes, with its object keys in the order in which other devices will see them.
 *
 * Throws `invalid-input` for what {@link copyPlain} does not take, and `too-large`.
 */
export function copyJson(value: unknown): Json {
  const bytes = encodeCanonical(jsonToValue(copyPlain(value, 'the value', bounds)))
  if (bytes.length > limits.valueBytes) {
    throw new PeerplaneError('too-large', `a value has ${bytes.length} bytes`)
  }
  return freeze(valueToJson(decodeCanonical(bytes))!)
}

/** Bytes have more characters in JSON than in the encoding. */
const bounds: PlainBounds = { depth: limits.valueDepth, size: 2 * limits.valueBytes }

/** A value of a body with `bodyBytes` bytes, which is not frozen yet. Throws `Void` when it breaks what {@link copyJson} demands. */
export function checkJson(value: Value | undefined, bodyBytes: number): Json {
  if (!isValue(value, limits.valueDepth)) throw new Void('a value is not JSON, or too deep')
  if (bodyBytes > limits.valueBytes && encodeCanonical(value).length > limits.valueBytes) {
    throw new Void('a value is too large')
  }
  const json = valueToJson(value)
  if (json === undefined) throw new Void('bytes in a value are not a byte string')
  return json
}

/** A map key or set element that a handler names. Throws `invalid-input` or `too-large`. */
export function checkText(text: unknown): string {
  if (typeof text !== 'string' || !text.isWellFormed()) {
    throw new PeerplaneError('invalid-input', 'a map key or set element must be a well-formed text')
  }
  if (isTooLong(text)) {
    throw new PeerplaneError('too-large', `a map key or set element has ${text.length} characters`)
  }
  return text
}

/** A map key or set element of a body. Throws `Void` when it breaks what {@link checkText} demands. */
export function readText(value: Value | undefined): string {
  if (typeof value !== 'string' || isTooLong(value)) throw new Void('not a text within the limit')
  return value
}

/** Order of map keys and set elements: numbers before texts, texts in the order of `compareTexts`. */
export function compareKeys(a: string | number, b: string | number): number {
  if (typeof a === 'number') return typeof b === 'number' ? a - b : -1
  return typeof b === 'number' ? 1 : compareTexts(a, b)
}

/** Whether it is a valid value. Bytes count as a level, because they have one in JSON. */
function isValue(value: unknown, depth: number): value is Value {
  if (value === null || typeof value === 'boolean') return true
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || depth === 0) return false
  if (value instanceof Uint8Array) return true
  if (Array.isArray(value)) {
    // Indexed, because `every` skips the holes of a sparse array.
    for (let i = 0; i < value.length; i++) if (!isValue(value[i], depth - 1)) return false
    return true
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  return Object.entries(value).every(
    ([key, part]) => key.isWellFormed() && isValue(part, depth - 1),
  )
}

// A UTF-16 unit takes at most three bytes, so short texts need not be encoded.
const isTooLong = (text: string): boolean =>
  text.length * 3 > limits.valueBytes && utf8(text).length > limits.valueBytes
