import { encodeCanonical } from '../codec.ts'
import { PeerplaneError } from '../errors.ts'
import { arrayField, wholeField } from '../fields.ts'
import { limits } from '../limits.ts'
import type { Value } from '../value.ts'

/**
 * What a record holds beyond the fields that this version knows: keys in ascending order with their values. A receiver that does not know an
 * odd key ignores it; one that does not know an even key leaves the record without effect until it is updated. Both store the record
 * and pass it on as it is. (The rule for odd and even is that of Lightning's BOLT 1.)
 */
export type Extensions = readonly (readonly [key: number, value: Value])[]

const MAX_DEPTH = 4

/** The fields of a record, followed by its extensions as one list if there are any. */
export const withExtensions = (
  fields: readonly Value[],
  extensions: Extensions | undefined,
): readonly Value[] =>
  extensions && extensions.length > 0 ? [...fields, extensions.flat()] : fields

/**
 * The extensions of a record that has `count` fields, in an array of one item more; nothing if it has only its fields.
 * Throws `malformed` or `too-large`.
 */
export function extensionsAfter(
  fields: readonly Value[],
  count: number,
  name: string,
): { readonly extensions?: Extensions } {
  if (fields.length !== count + 1) {
    arrayField(fields, name, count)
    return {}
  }
  return { extensions: readExtensions(fields[count], name) }
}

/** The extensions of a decoded list, of which there is one at least. Throws `malformed` or `too-large`. */
export function readExtensions(value: Value | undefined, name: string): Extensions {
  const items = arrayField(value, `${name}.extensions`)
  if (items.length === 0 || items.length % 2 === 1) {
    throw new PeerplaneError('malformed', `${name}.extensions are not keys with values`)
  }
  if (!isWithin(items, MAX_DEPTH + 1)) {
    throw new PeerplaneError('malformed', `${name}.extensions are nested too deeply`)
  }
  if (encodeCanonical(items).length > limits.extensionBytes) {
    throw new PeerplaneError('too-large', `${name}.extensions have too many bytes`)
  }
  const extensions: [number, Value][] = []
  for (let at = 0; at < items.length; at += 2) {
    const key = wholeField(items[at], `${name}.extensions`, (extensions.at(-1)?.[0] ?? -1) + 1)
    extensions.push([key, items[at + 1]!])
  }
  return extensions
}

/** Whether a record may have an effect here: this version knows no keys, so only odd ones can be ignored. */
export const isUnderstood = (extensions: Extensions | undefined): boolean =>
  !extensions || extensions.every(([key]) => key % 2 === 1)

/** Whether a value has at most so many levels of lists and maps. */
function isWithin(value: Value, levels: number): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return true
  return levels > 0 && Object.values(value).every((each) => isWithin(each, levels - 1))
}
