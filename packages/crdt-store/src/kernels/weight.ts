import { limits, PeerplaneError, type EntitySize, type Json } from '@peerplane/core'

/*
 * How large a state is, roughly as in memory, and the same on every device that holds the same ops. Texts count as many bytes as they have
 * UTF-16 units.
 */

/** Of a key, an element, or an op that is kept. */
export const PART_BYTES = 64

/** A body adds at most this to a state, for each of its ops and for each of its bytes: a commit that is named with one byte is kept as a part. */
export const GROWTH_PER_OP = 2 * PART_BYTES
export const GROWTH_PER_BYTE = 1 * PART_BYTES

/** Four fifths of what commands may fill. */
export const LARGE_BYTES = 0.8 * limits.entityCommandBytes

/** Whether an entity of this weight is nearly full. */
export const isLarge = (weight: number): boolean => weight > LARGE_BYTES

/** The size of an entity that is weighed in bytes. */
export const sizeOf = (bytes: number, ops: number): EntitySize => ({
  bytes,
  ops,
  mostBytes: limits.entityCommandBytes,
  mostOps: undefined,
})

/** Throws `too-large` if a command would make an entity larger than `most`. */
export function requireRoom(weight: number, most: number): void {
  if (weight <= most) return
  const reason = `an entity would hold ${weight} bytes, and commands may fill ${limits.entityCommandBytes}: delete what is no longer needed, or spread the data over several entities`
  throw new PeerplaneError('too-large', reason)
}

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
