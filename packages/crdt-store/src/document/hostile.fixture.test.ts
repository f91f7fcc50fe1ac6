import { createHash } from 'node:crypto'

import { hash, toHex, utf8, type DeviceId, type Origin, type SessionId } from '@peerplane/core'

import { encodeBody, readBody } from './body.ts'

export const sessionOf = (name: string): SessionId =>
  toHex(hash('test-session', utf8(name)).slice(0, 16)) as SessionId

export const deviceOf = (name: string): DeviceId =>
  toHex(hash('test-device', utf8(name))) as DeviceId

export const originOf = (name: string, seq = 1): Origin => ({
  device: deviceOf(name),
  session: sessionOf(name),
  seq,
  time: { ms: 0, counter: 0 },
})

/** The change in a body. */
export const chunkOf = (body: Uint8Array): Uint8Array => readBody(body)!.chunks

/** A body with one to four bytes of its change changed, and the checksum made to fit. */
export function mutate(body: Uint8Array, random: () => number): Uint8Array {
  const { chunks, tree } = readBody(body)!
  const mutated = Uint8Array.from(chunks)
  for (let left = 1 + Math.floor(random() * 4); left > 0; left--) {
    mutated[8 + Math.floor(random() * (mutated.length - 8))] = Math.floor(random() * 256)
  }
  mutated.set(checksum(mutated.subarray(8)), 4)
  return encodeBody({ chunks: mutated, tree })
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
