import {
  arrayField,
  bytesField,
  concatBytes,
  decodeCanonical,
  encodeCanonical,
  fromHex,
  HASH_BYTES,
  PeerplaneError,
  toHex,
  wholeField,
} from '@peerplane/core'
import type { BatchId, SpaceId, Timestamp } from '@peerplane/core'

/** Version of the layout of the store. */
const STORE_VERSION = 6

/** How far a session is stored: number of its last commit, id of its last batch. With seq 0 nothing but its opening is, whose id is that of the batch. */
export interface StoredTip {
  readonly seq: number
  readonly batch: BatchId
}

/**
 * How far a session is delivered. What is written may lie behind: the log delivers again, from what is stored, when it opens.
 */
export interface Reach {
  readonly seq: number
  readonly batch: BatchId
  /** The largest seq that a delivered commit of another session depends on. */
  readonly covered: number
  readonly time: Timestamp
}

/**
 * The signature in a stored batch: found good here, or as it came, because that of a later batch speaks for it. An unchecked one must not be
 * the last of a run that leaves.
 */
export type SignatureState = 'none' | 'verified' | 'unchecked'

/** A batch as it is stored. */
export interface StoredBatch {
  /** How many it has: the next batch of the session begins after them. */
  readonly commits: number
  /** What a receiver hashes, in bytes. */
  readonly weight: number
  readonly previous: BatchId
  readonly signature: SignatureState
  /** Canonical bytes, as they are sent. */
  readonly encoded: Uint8Array
}

export const encodeMeta = (space: SpaceId): Uint8Array =>
  encodeCanonical([STORE_VERSION, fromHex(space)])

/** The space of a store. Throws `store-version`. */
export function decodeMeta(encoded: Uint8Array): SpaceId {
  const fields = arrayField(decodeCanonical(encoded), 'meta')
  const version = wholeField(fields[0], 'meta.version')
  if (version > STORE_VERSION) {
    throw new PeerplaneError('store-version', `the store has version ${version}`)
  }
  return toHex(bytesField(fields[1], 'meta.space', HASH_BYTES)) as SpaceId
}

/** Byte strings one after the other, such as a chain of admissions. */
export const encodeList = (items: readonly Uint8Array[]): Uint8Array => encodeCanonical(items)

export const decodeList = (encoded: Uint8Array): Uint8Array[] =>
  arrayField(decodeCanonical(encoded), 'list').map((item) => bytesField(item, 'list item'))

export const encodeTip = (tip: StoredTip): Uint8Array =>
  encodeCanonical([tip.seq, fromHex(tip.batch)])

export function decodeTip(encoded: Uint8Array): StoredTip {
  const fields = arrayField(decodeCanonical(encoded), 'tip', 2)
  return {
    seq: wholeField(fields[0], 'tip.seq'),
    batch: toHex(bytesField(fields[1], 'tip.batch', HASH_BYTES)) as BatchId,
  }
}

export const encodeReach = (reach: Reach): Uint8Array =>
  encodeCanonical([
    reach.seq,
    fromHex(reach.batch),
    reach.covered,
    reach.time.ms,
    reach.time.counter,
  ])

export function decodeReach(encoded: Uint8Array): Reach {
  const fields = arrayField(decodeCanonical(encoded), 'reach', 5)
  return {
    seq: wholeField(fields[0], 'reach.seq'),
    batch: toHex(bytesField(fields[1], 'reach.batch', HASH_BYTES)) as BatchId,
    covered: wholeField(fields[2], 'reach.covered'),
    time: {
      ms: wholeField(fields[3], 'reach.ms'),
      counter: wholeField(fields[4], 'reach.counter'),
    },
  }
}

const SIGNATURE_STATES: readonly SignatureState[] = ['none', 'verified', 'unchecked']

// Not canonical CBOR around canonical CBOR: a megabyte would be copied and checked once more.
export const encodeStoredBatch = (batch: StoredBatch): Uint8Array =>
  concatBytes(
    Uint8Array.of(
      SIGNATURE_STATES.indexOf(batch.signature),
      batch.commits >>> 8,
      batch.commits & 255,
      batch.weight >>> 24,
      (batch.weight >>> 16) & 255,
      (batch.weight >>> 8) & 255,
      batch.weight & 255,
    ),
    fromHex(batch.previous),
    batch.encoded,
  )

/** Bytes before the id of the batch before. */
const STATE = 7

export const decodeStoredBatch = (value: Uint8Array): StoredBatch => ({
  signature: SIGNATURE_STATES[value[0]!] ?? 'none',
  commits: (value[1]! << 8) | value[2]!,
  weight: ((value[3]! << 24) | (value[4]! << 16) | (value[5]! << 8) | value[6]!) >>> 0,
  previous: toHex(value.subarray(STATE, STATE + HASH_BYTES)) as BatchId,
  encoded: value.subarray(STATE + HASH_BYTES),
})
