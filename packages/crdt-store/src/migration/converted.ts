import {
  copyPlain,
  decodeCanonical,
  encodeCanonical,
  equalData,
  freeze,
  limits,
  reasonOf,
  type Json,
  type StoredField,
} from '@peerplane/core'

/** A value, and why it is perhaps not the right one. */
export interface Converted {
  readonly value: Json
  readonly problem: string | undefined
}

/**
 * The value of a field, given what the stored registers show.
 *
 * A converted register is stored beside the older one, and each write writes both. It is a multi-value register: of its values, the latest one that
 * corresponds to the older register is shown, because the older register decides which of concurrent writes wins. If none does, an app that knows only
 * the older register has written it since, and its value is converted. If that fails, the latest value is shown, and `problem` says why.
 */
export function valueOf(field: StoredField, read: (stored: string) => Json): Converted {
  const { converted, stored } = field
  const own = read(stored)
  if (!converted) return { value: own, problem: undefined }
  const values = own as readonly Json[]
  const old = valueOf(converted.old, read)
  const corresponds = (value: Json): boolean => {
    const down = attempt(converted.down, value)
    return down.problem === undefined && equalData(down.value, old.value)
  }
  const written = values.find(corresponds)
  if (written !== undefined) return { value: written, problem: old.problem }
  const up = attempt(converted.up, old.value)
  if (up.problem === undefined) return { value: up.value, problem: old.problem }
  return { value: values[0]!, problem: `"${stored}" cannot be converted: ${up.problem}` }
}

/** What a write of `given` stores: values by stored names, the newest register first. Throws what a conversion throws. */
export function writesOf(field: StoredField, given: unknown): readonly (readonly [string, Json])[] {
  const value = canonical(given)
  if (!field.converted) return [[field.stored, value]]
  const { old, down } = field.converted
  return [[field.stored, value], ...writesOf(old, down(value))]
}

/** A conversion may meet values that its author did not expect: any member can write any JSON. */
export function attempt(convert: (value: Json) => Json, value: Json): Converted {
  try {
    return { value: canonical(convert(value)), problem: undefined }
  } catch (cause) {
    return { value: null, problem: reasonOf(cause) }
  }
}

/** A frozen copy, equal to what is read after it was stored. */
export const canonical = (value: unknown): Json =>
  freeze(decodeCanonical(encodeCanonical(copyPlain(value, 'the value', bounds))) as Json)

const bounds = { depth: limits.valueDepth, size: limits.valueBytes }
