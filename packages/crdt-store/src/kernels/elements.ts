import {
  compareTexts,
  decodeCanonical,
  encodeCanonical,
  freeze,
  fromHex,
  jsonToValue,
  toHex,
  valueToJson,
  type Json,
  type Value,
} from '@peerplane/core'

import { checkJson, checkText, copyJson, readText } from './values.ts'

/** What stands for an element of a set: a number or text for itself, and {@link COMPOSITE} with the canonical bytes in hex for any other value. */
export type ElementKey = string | number

/** No well-formed text begins with the second half of a surrogate pair. */
const COMPOSITE = '\uDC00'

/** The key of an element that a handler names. Throws `invalid-input` or `too-large`. */
export function checkElement(element: unknown): ElementKey {
  if (typeof element === 'string') return checkText(element)
  const copy = copyJson(element)
  return typeof copy === 'number' ? copy : compositeKey(copy)
}

/** The key of an element of a body with `bodyBytes` bytes. Throws `Void`. */
export function readElement(element: Value | undefined, bodyBytes: number): ElementKey {
  if (typeof element === 'number') return element
  return typeof element === 'string'
    ? readText(element)
    : compositeKey(checkJson(element, bodyBytes))
}

/** The element of a key, as ops hold it. */
export const elementOf = (key: ElementKey): Value =>
  isComposite(key) ? decodeCanonical(fromHex(key.slice(1))) : key

/** Order of the elements of a set: numbers, then texts in the order of `compareTexts`, then other values in the order of their bytes. */
export function compareElements(a: ElementKey, b: ElementKey): number {
  const [rankA, rankB] = [rankOf(a), rankOf(b)]
  if (rankA !== rankB) return rankA - rankB
  if (typeof a === 'number') return a - (b as number)
  return compareTexts(a, b as string)
}

/** What an empty set shows. */
export const noElements: readonly Json[] = Object.freeze([])

/** The elements of `keys`, frozen; `before`, which was shown before, if that has the same. Elements of `before` are the same objects again. */
export function showElements(
  keys: readonly ElementKey[],
  before: readonly Json[],
): readonly Json[] {
  const isSame = keys.length === before.length && keys.every((key, i) => key === keyOf(before[i]!))
  if (isSame) return before
  if (keys.length === 0) return noElements
  const known = new Map<ElementKey, Json>()
  for (const element of before) {
    if (typeof element === 'object' && element !== null) known.set(keyOf(element), element)
  }
  return Object.freeze(keys.map((key) => known.get(key) ?? shown(key)))
}

/** The keys of shown lists and objects, so that they are not encoded again. */
const shownKeys = new WeakMap<object, string>()

function shown(key: ElementKey): Json {
  const element = freeze(valueToJson(elementOf(key))!)
  if (typeof element === 'object' && element !== null) shownKeys.set(element, key as string)
  return element
}

function keyOf(element: Json): ElementKey {
  if (typeof element === 'number' || typeof element === 'string') return element
  return (
    (element !== null && typeof element === 'object' && shownKeys.get(element)) ||
    compositeKey(element)
  )
}

const isComposite = (key: ElementKey): key is string =>
  typeof key === 'string' && key.startsWith(COMPOSITE)

const compositeKey = (value: Json): string => COMPOSITE + toHex(encodeCanonical(jsonToValue(value)))

const rankOf = (key: ElementKey): number => (typeof key === 'number' ? 0 : isComposite(key) ? 2 : 1)
