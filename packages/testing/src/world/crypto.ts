import { equalBytes, hash, utf8, type Crypto, type SigningKey } from '@peerplane/core'

import { Digest } from './digest.ts'
import type { SimWorld } from './world.ts'

/**
 * Signatures for simulations: fast, the same on every run, and worthless. Anybody can sign in the name of any key; a damaged message or
 * signature, or another key, is still told apart.
 */
export const simulatedCrypto: Crypto = {
  keyFromSeed: (seed) => {
    const publicKey = hash('simulated-key', seed)
    const key: SigningKey = {
      publicKey,
      sign: (message) => Promise.resolve(signatureOf(publicKey, message)),
    }
    return Promise.resolve(key)
  },
  verify: (publicKey, message, signature) =>
    Promise.resolve(equalBytes(signature, signatureOf(publicKey, message))),
}

/** Cryptography that takes real time, such as WebCrypto, one operation after the other between two events of a world. */
export function outsideTime(world: SimWorld, crypto: Crypto): Crypto {
  return {
    keyFromSeed: async (seed) => {
      const key = await crypto.keyFromSeed(seed)
      return { ...key, sign: (message) => world.outside(() => key.sign(message)) }
    },
    verify: (publicKey, message, signature) =>
      world.outside(() => crypto.verify(publicKey, message, signature)),
  }
}

function signatureOf(publicKey: Uint8Array, message: Uint8Array): Uint8Array {
  const digest = new Digest()
  digest.add('key', 0, publicKey)
  digest.add('message', 0, message)
  return utf8(digest.hex().repeat(4))
}
