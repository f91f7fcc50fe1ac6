import { createHash } from 'node:crypto'

import { hash, toHex, utf8, type Origin, type SessionId } from '@peerplane/core'

export const sessionOf = (name: string): SessionId =>
  toHex(hash('test-session', utf8(name))) as SessionId

export const originOf = (name: string, seq = 1): Origin => ({
  session: sessionOf(name),
  seq,
  time: { ms: 0, counter: 0 },
})

/** One to four bytes changed, and the checksum made to fit. */
export function mutate(bytes: Uint8Array, random: () => number): Uint8Array {
  const mutated = Uint8Array.from(bytes)
  for (let left = 1 + Math.floor(random() * 4); left > 0; left--) {
    mutated[8 + Math.floor(random() * (mutated.length - 8))] = Math.floor(random() * 256)
  }
  mutated.set(checksum(mutated.subarray(8)), 4)
  return mutated
}

export const checksum = (hashed: Uint8Array): Uint8Array =>
  createHash('sha256').update(hashed).digest().subarray(0, 4)

/** Numbers from 0 to 1 that repeat with the seed (xorshift). */
export function generator(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}
