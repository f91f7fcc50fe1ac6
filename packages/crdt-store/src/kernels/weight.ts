import type { Json } from '@peerplane/core'

/*
 * How large a state is, roughly as in memory, and the same on every device that holds the same ops. Texts count as many bytes as they have
 * UTF-16 units.
 */

/** Of a key, an element, or an op that is kept. */
export const PART_BYTES = 64

/** A body adds at most this to a state, for each of its ops and for each of its bytes: a commit that is named with one byte is kept as a part. */
export const GROWTH_PER_OP = 2 * PART_BYTES
export const GROWTH_PER_BYTE = 1 * PART_BYTES

/** Returns the weight of the value of a register: roughly how many bytes it takes in memory. */
export function weightOf(value: Json): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 8
  let weight = 16
  for (const [key, part] of Object.entries(value)) {
    weight += (Array.isArray(value) ? 0 : key.length) + weightOf(part)
  }
  return weight
}
