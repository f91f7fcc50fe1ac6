import { concatBytes, equalBytes, hash, type Crypto, type SigningKey } from '@peerplane/core'

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

function signatureOf(publicKey: Uint8Array, message: Uint8Array): Uint8Array {
  const half = hash('simulated-signature', publicKey, message)
  return concatBytes(half, half)
}
