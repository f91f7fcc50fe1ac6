import { equalBytes } from '../bytes.ts'
import { hash } from '../hash.ts'
import type { Clock } from '../ports/clock.ts'
import type { Crypto, SigningKey } from '../ports/crypto.ts'
import type { Random } from '../ports/random.ts'

/**
 * Signatures that depend on nothing but their input and finish in order, for runs that are replayed from a seed. They are as good as real
 * ones against damaged and mixed-up bytes, and worthless against a forger: anyone who knows a public key can sign for it.
 */
export const deterministicCrypto: Crypto = {
  async keyFromSeed(seed: Uint8Array): Promise<SigningKey> {
    const publicKey = hash('test-key', seed)
    return { publicKey, sign: async (message) => signatureOf(publicKey, message) }
  },
  async verify(
    publicKey: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
  ): Promise<boolean> {
    return equalBytes(signature, signatureOf(publicKey, message))
  },
}

/** Random bytes that only `seed` decides (splitmix32). */
export function seededRandom(seed: number): Random {
  let state = seed | 0
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
  return { bytes: (length) => Uint8Array.from({ length }, () => next() & 255) }
}

/** A clock that stands still until it is set. */
export class ManualClock implements Clock {
  ms: number

  constructor(ms: number = 1_700_000_000_000) {
    this.ms = ms
  }

  now(): number {
    return this.ms
  }
}

function signatureOf(publicKey: Uint8Array, message: Uint8Array): Uint8Array {
  const signature = new Uint8Array(64)
  signature.set(hash('test-signature-a', publicKey, message), 0)
  signature.set(hash('test-signature-b', publicKey, message), 32)
  return signature
}
