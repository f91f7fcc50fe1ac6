/** Bytes of one piece of memory that copies are cut from. */
const SLAB_BYTES = 64 * 1024

let slab = new Uint8Array(SLAB_BYTES)
let used = 0

/**
 * A copy that nobody else writes to. Many share one buffer: an `ArrayBuffer` of its own for each would cost a simulation more than everything
 * else that its disks and networks do.
 */
export function copyOf(bytes: Uint8Array): Uint8Array {
  const { length } = bytes
  if (length > SLAB_BYTES / 4) return bytes.slice()
  if (used + length > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES)
    used = 0
  }
  const copy = slab.subarray(used, used + length)
  copy.set(bytes)
  used += length
  return copy
}
