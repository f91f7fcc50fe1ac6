import { concatBytes, fromHex, SESSION_BYTES, toHex } from '@peerplane/core'
import type { KeyRange, SessionId } from '@peerplane/core'

/*
 * Keys of the log. One store holds one space; the first byte of a key names its table. 0x20 to 0x2f are the rows, 0x30 and above belong
 * to the runtime. Seqs have 8 bytes, the most significant first, so that key order is their order.
 *
 *   0x01                             format version and space
 *   0x02 session                     opening record
 *   0x03 session                     tip: how far the session is stored
 *   0x04 session                     reach: how far it is delivered, and how far others build on it
 *   0x05 session  first seq          batch
 *   0x06 admission id                chain of admissions, verified
 *   0x07 session                     proof of a fork
 */

const META = 0x01
const OPENING = 0x02
const TIP = 0x03
const REACH = 0x04
const BATCH = 0x05
const ADMISSION = 0x06
const FORK = 0x07

/** Where the seq of a batch key begins. */
const SEQ_AT = 1 + SESSION_BYTES

/** The table, a session, a seq. */
export const BATCH_KEY_BYTES: number = SEQ_AT + 8

const tableRange = (byte: number): KeyRange => ({
  from: Uint8Array.of(byte),
  to: Uint8Array.of(byte + 1),
})

const sessionKey = (byte: number, session: SessionId): Uint8Array =>
  concatBytes(Uint8Array.of(byte), fromHex(session))

export const metaKey: Uint8Array = Uint8Array.of(META)
export const openingKey = (session: SessionId): Uint8Array => sessionKey(OPENING, session)
export const tipKey = (session: SessionId): Uint8Array => sessionKey(TIP, session)
export const reachKey = (session: SessionId): Uint8Array => sessionKey(REACH, session)
export const forkKey = (session: SessionId): Uint8Array => sessionKey(FORK, session)
export const admissionKey = (id: Uint8Array): Uint8Array =>
  concatBytes(Uint8Array.of(ADMISSION), id)

export const openings: KeyRange = tableRange(OPENING)
export const tips: KeyRange = tableRange(TIP)
export const reaches: KeyRange = tableRange(REACH)
export const batches: KeyRange = tableRange(BATCH)
export const forks: KeyRange = tableRange(FORK)
export const admissions: KeyRange = tableRange(ADMISSION)

/** The id in the key of an admission. */
export const admissionOfKey = (key: Uint8Array): Uint8Array => key.subarray(1)

/** Key of the batch of `session` that begins with commit `firstSeq`. */
export function batchKey(session: SessionId, firstSeq: number): Uint8Array {
  const key = new Uint8Array(BATCH_KEY_BYTES)
  key[0] = BATCH
  key.set(fromHex(session), 1)
  // No view: it would take a small array out of the heap, at many times the cost.
  for (let at = BATCH_KEY_BYTES - 1, rest = firstSeq; at >= SEQ_AT; at--) {
    key[at] = rest % 0x100
    rest = Math.floor(rest / 0x100)
  }
  return key
}

export const isTipKey = (key: Uint8Array): boolean => key[0] === TIP && key.length === SEQ_AT
export const isBatchKey = (key: Uint8Array): boolean =>
  key[0] === BATCH && key.length === BATCH_KEY_BYTES

/** The session of a key that has one. */
export const sessionOfKey = (key: Uint8Array): SessionId =>
  toHex(key.subarray(1, SEQ_AT)) as SessionId

/** First seq of a batch key. */
export function firstSeqOfKey(key: Uint8Array): number {
  let seq = 0
  for (let at = SEQ_AT; at < BATCH_KEY_BYTES; at++) seq = seq * 0x100 + key[at]!
  return seq
}
