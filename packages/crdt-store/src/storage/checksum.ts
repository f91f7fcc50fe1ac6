/**
 * MurmurHash3 of Austin Appleby, the one for x86 with 32 bits: https://github.com/aappleby/smhasher/wiki/MurmurHash3. A change within four
 * bytes always gives another number. It is against decay, not against attackers, and costs a sixth of SHA-256.
 */
export function checksum(bytes: Uint8Array, seed = 0): number {
  const whole = bytes.length & ~3
  let sum = seed | 0
  for (let i = 0; i < whole; i += 4) {
    const block = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    sum ^= scrambled(block)
    sum = (sum << 13) | (sum >>> 19)
    sum = (Math.imul(sum, 5) + 0xe6546b64) | 0
  }
  let rest = 0
  for (let i = bytes.length - 1; i >= whole; i--) rest = (rest << 8) | bytes[i]!
  sum ^= scrambled(rest) ^ bytes.length
  sum = Math.imul(sum ^ (sum >>> 16), 0x85ebca6b)
  sum = Math.imul(sum ^ (sum >>> 13), 0xc2b2ae35)
  return (sum ^ (sum >>> 16)) >>> 0
}

function scrambled(block: number): number {
  const product = Math.imul(block, 0xcc9e2d51)
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593)
}

/** Writes a checksum into four bytes, the most significant first. */
export function writeSum(target: Uint8Array, at: number, sum: number): void {
  target[at] = sum >>> 24
  target[at + 1] = sum >>> 16
  target[at + 2] = sum >>> 8
  target[at + 3] = sum
}

/** The checksum in four bytes. */
export const readSum = (source: Uint8Array, at: number): number =>
  ((source[at]! << 24) | (source[at + 1]! << 16) | (source[at + 2]! << 8) | source[at + 3]!) >>> 0
