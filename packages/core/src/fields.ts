import type { Value } from './value.ts'
import { PeerplaneError } from './errors.ts'

/*
 * Readers for decoded values. Each checks one field and throws `malformed` with the field's name, so that a record's parser reads like
 * the record's definition.
 */

const wrong = (name: string, expected: string): PeerplaneError =>
  new PeerplaneError('malformed', `${name} is not ${expected}`)

/** Returns `value` if it is an array. If `length` is given, the array must have exactly `length` items. */
export function arrayField(
  value: Value | undefined,
  name: string,
  length?: number,
): readonly Value[] {
  if (!Array.isArray(value)) throw wrong(name, 'an array')
  if (length !== undefined && value.length !== length) throw wrong(name, `an array of ${length}`)
  return value as readonly Value[]
}

/** Reads an array of at most `max` items, each of which the function `item` reads. The error for an invalid item contains the name of the array. */
export function listField<T>(
  value: Value | undefined,
  name: string,
  max: number,
  item: (value: Value, name: string) => T,
): T[] {
  const items = arrayField(value, name)
  if (items.length > max) throw new PeerplaneError('too-large', `${name} has ${items.length} items`)
  // A name for each would cost more than reading most of them.
  return items.map((each) => item(each, name))
}

/** Returns `value` if it is a byte string. If `length` is given, the byte string must have exactly `length` bytes. */
export function bytesField(value: Value | undefined, name: string, length?: number): Uint8Array {
  if (!(value instanceof Uint8Array)) throw wrong(name, 'a byte string')
  if (length !== undefined && value.length !== length) throw wrong(name, `${length} bytes long`)
  return value
}

/** Returns `value` if it is a whole number of at least `min`. */
export function wholeField(value: Value | undefined, name: string, min = 0): number {
  if (!Number.isSafeInteger(value) || (value as number) < min)
    throw wrong(name, `a whole number from ${min}`)
  return value as number
}

/** Returns `value` if it is a string of at most `maxUnits` UTF-16 code units. */
export function textField(value: Value | undefined, name: string, maxUnits: number): string {
  if (typeof value !== 'string') throw wrong(name, 'a string')
  if (value.length > maxUnits)
    throw new PeerplaneError('too-large', `${name} has ${value.length} characters`)
  return value
}
