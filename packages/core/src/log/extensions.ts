import { encodeCanonical } from '../codec.ts'
import { PeerplaneError } from '../errors.ts'
import { arrayField, wholeField } from '../fields.ts'
import { limits } from '../limits.ts'
import type { Value } from '../value.ts'

/**
 * The fields of a record that this version of Peerplane does not know: keys in ascending order, with their values. A receiver ignores unknown fields
 * with odd keys. Fields with even keys are critical: a record with an unknown even key has no effect until the program of the receiver is updated. A receiver always stores a record with unknown
 * fields, and passes it on unchanged. BOLT 1 of the Lightning Network has the same rule for odd and even keys.
 */
export type Extensions = readonly (readonly [key: number, value: Value])[]

const MAX_DEPTH = 4

/** Returns the fields of a record, followed by its extensions as one list if there are any. */
export const withExtensions = (
  fields: readonly Value[],
  extensions: Extensions | undefined,
): readonly Value[] =>
  extensions && extensions.length > 0 ? [...fields, extensions.flat()] : fields

/**
 * Reads the extensions of a record, if it has any. The extensions come after the first `count` items of `fields`. Throws `malformed` or `too-large`.
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

/** Reads a list of at least one extension. Throws `malformed` or `too-large`. */
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

/**
 * Whether a record with these extensions may have an effect on this device. This version of Peerplane knows no extensions, so a record may have an
 * effect only if all its extension keys are odd.
 */
export const isUnderstood = (extensions: Extensions | undefined): boolean =>
  !extensions || extensions.every(([key]) => key % 2 === 1)

/** Whether lists and maps in a value are nested at most `levels` deep. */
function isWithin(value: Value, levels: number): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return true
  return levels > 0 && Object.values(value).every((each) => isWithin(each, levels - 1))
}
