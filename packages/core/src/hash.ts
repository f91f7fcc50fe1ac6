import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'

import { concatBytes } from './bytes.ts'
import { utf8 } from './text.ts'

/** Length of a full hash, in bytes. */
export const HASH_BYTES = 32

/** Length of a session id, in bytes. */
export const SESSION_BYTES = 16

const prefixes = new Map<string, Uint8Array>()

/**
 * Returns the prefix with which all hashed or signed messages of one kind begin. Each kind of message has its own prefix, so a message of one kind is
 * never mistaken for a message of a different kind.
 */
export function domain(tag: string): Uint8Array {
  let prefix = prefixes.get(tag)
  if (!prefix) {
    prefix = utf8(`peerplane/${tag}/1\0`)
    prefixes.set(tag, prefix)
  }
  return prefix
}

type Hashing = ReturnType<typeof sha256.create>

const begun = new Map<string, Hashing>()
/**
 * One hash object serves all calls, because no call awaits while it uses the object, and making a new object costs more than hashing most messages.
 */
const scratch = sha256.create()

/**
 * Returns the SHA-256 hash of `domain(tag)` followed by `parts`. `hash` is synchronous, because an asynchronous call would cost ten times as much as
 * hashing a commit.
 */
export function hash(tag: string, ...parts: readonly Uint8Array[]): Uint8Array {
  let beginning = begun.get(tag)
  if (!beginning) {
    beginning = sha256.create().update(domain(tag))
    begun.set(tag, beginning)
  }
  const hashing = beginning._cloneInto(scratch)
  for (const part of parts) hashing.update(part)
  return hashing.digest()
}

/** Returns the HMAC-SHA-256, with the key `key`, of `domain(tag)` followed by `parts`. */
export function mac(key: Uint8Array, tag: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return hmac(sha256, key, concatBytes(domain(tag), ...parts))
}
