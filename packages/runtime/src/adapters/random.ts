import type { Random } from '@peerplane/core'

/** What one call of the platform's generator gives at most. */
const QUOTA = 65_536

/** The random source of the platform, which is good enough to make cryptographic keys. */
export const systemRandom: Random = {
  bytes(length) {
    const out = new Uint8Array(length)
    for (let at = 0; at < length; at += QUOTA) crypto.getRandomValues(out.subarray(at, at + QUOTA))
    return out
  },
}
