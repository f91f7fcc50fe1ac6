import { concatBytes, fromBase64Url, fromHex, type Crypto } from '@peerplane/core'

const ED25519 = { name: 'Ed25519' }
/** What stands before a seed in PKCS #8 (RFC 8410, section 7). */
const PKCS8 = fromHex('302e020100300506032b657004220420')

/** Ed25519 of the platform for tests; `busy` tells whether something is still being computed. */
export function ed25519(subtle: SubtleCrypto): { crypto: Crypto; busy: () => boolean } {
  let pending = 0
  async function counted<T>(task: () => Promise<T>): Promise<T> {
    pending++
    try {
      return await task()
    } finally {
      pending--
    }
  }
  const crypto: Crypto = {
    keyFromSeed: (seed) =>
      counted(async () => {
        const pkcs8 = view(concatBytes(PKCS8, seed))
        const key = await subtle.importKey('pkcs8', pkcs8, ED25519, true, ['sign'])
        const { x } = await subtle.exportKey('jwk', key)
        return {
          publicKey: fromBase64Url(x!)!,
          sign: (message) =>
            counted(async () => new Uint8Array(await subtle.sign(ED25519, key, view(message)))),
        }
      }),
    verify: (publicKey, message, signature) =>
      counted(async () => {
        const key = await subtle.importKey('raw', view(publicKey), ED25519, true, ['verify'])
        return subtle.verify(ED25519, key, view(signature), view(message))
      }).catch(() => false),
  }
  return { crypto, busy: () => pending > 0 }
}

const view = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes)
