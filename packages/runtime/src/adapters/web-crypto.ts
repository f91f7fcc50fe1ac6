import { concatBytes, fromHex, limits, PeerplaneError, toHex } from '@peerplane/core'
import type { Crypto, SigningKey } from '@peerplane/core'

import { isPlainPoint } from './ed25519-points.ts'

/**
 * Returns the Ed25519 implementation of the platform. Throws `unsupported` if the platform has no WebCrypto, as in pages outside secure contexts. If
 * WebCrypto does not support Ed25519, the first use rejects with `unsupported`.
 */
export function webCrypto(): Crypto {
  const subtle = requireSubtle()
  const keys = new Map<string, Promise<CryptoKey>>()

  /** Importing a key costs as much as half a verification; the keys of the busiest devices stay. */
  function publicKeyOf(bytes: Uint8Array): Promise<CryptoKey> {
    const name = toHex(bytes)
    const key = keys.get(name) ?? subtle.importKey('raw', view(bytes), ED25519, true, ['verify'])
    keys.delete(name)
    keys.set(name, key)
    if (keys.size > limits.cachedKeys) keys.delete(keys.keys().next().value!)
    return key
  }

  return {
    keyFromSeed,
    async verify(publicKey, message, signature) {
      if (publicKey.length !== 32 || signature.length !== 64) return false
      if (!isPlainPoint(publicKey) || !isPlainPoint(signature.subarray(0, 32))) return false
      try {
        const key = await publicKeyOf(publicKey)
        return await subtle.verify(ED25519, key, view(signature), view(message))
      } catch {
        // Ignored: what is no key has signed nothing.
        return false
      }
    },
  }
}

/** Makes a new key pair. The program can sign with the secret key, but cannot read it. The key pair can be stored in IndexedDB. */
export async function generateKeyPair(): Promise<CryptoKeyPair> {
  return (await supported(
    requireSubtle().generateKey(ED25519, false, ['sign', 'verify']),
  )) as CryptoKeyPair
}

/** Returns the signing key for a key pair of WebCrypto. */
export async function signingKeyOf(pair: CryptoKeyPair): Promise<SigningKey> {
  const subtle = requireSubtle()
  const publicKey = new Uint8Array(await subtle.exportKey('raw', pair.publicKey))
  return {
    publicKey,
    sign: async (message) =>
      new Uint8Array(await subtle.sign(ED25519, pair.privateKey, view(message))),
  }
}

const ED25519 = 'Ed25519'

/** PrivateKeyInfo of RFC 8410 up to the seed: version 0, algorithm 1.3.101.112, an octet string in an octet string. */
const PKCS8_PREFIX = fromHex('302e020100300506032b657004220420')

async function keyFromSeed(seed: Uint8Array): Promise<SigningKey> {
  if (seed.length !== 32) throw new RangeError('the seed of a key has 32 bytes')
  const subtle = requireSubtle()
  const encoded = view(concatBytes(PKCS8_PREFIX, seed))
  // Extractable, because the public half can only be read from an exported key.
  const extractable = await supported(subtle.importKey('pkcs8', encoded, ED25519, true, ['sign']))
  const { x } = await subtle.exportKey('jwk', extractable)
  const [privateKey, publicKey] = await Promise.all([
    subtle.importKey('pkcs8', encoded, ED25519, false, ['sign']),
    subtle.importKey('jwk', { kty: 'OKP', crv: ED25519, x: x! }, ED25519, true, ['verify']),
  ])
  return signingKeyOf({ privateKey, publicKey })
}

function requireSubtle(): SubtleCrypto {
  // Typed as always there, but absent on pages that came over plain http.
  const { subtle } = crypto as { readonly subtle?: SubtleCrypto }
  if (subtle) return subtle
  throw new PeerplaneError('unsupported', 'this page may not use cryptography')
}

async function supported<Key>(key: Promise<Key>): Promise<Key> {
  try {
    return await key
  } catch (cause) {
    throw new PeerplaneError('unsupported', 'this environment has no Ed25519', { cause })
  }
}

/** The types of the platform do not allow bytes in shared memory. Peerplane keeps no bytes in shared memory. */
const view = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => bytes as Uint8Array<ArrayBuffer>
