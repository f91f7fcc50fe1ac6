import {
  array,
  bytes,
  concatBytes,
  decodeCanonical,
  encodeCanonical,
  fromHex,
  HASH_BYTES,
  PeerplaneError,
  toHex,
  whole,
} from '@peerplane/core'
import type { BatchId, CommitId, SpaceId, Timestamp, Value } from '@peerplane/core'

/** Version of the layout of the store. */
export const STORE_VERSION = 1

/** How far a session is stored: number and id of its last commit, id of its last batch. */
export interface StoredTip {
  readonly seq: number
  readonly commit: CommitId
  readonly batch: BatchId
}

/**
 * How far a session is delivered. What is written may lie behind: the log delivers again, from what is stored, when it opens.
 */
export interface Reach {
  readonly seq: number
  readonly commit: CommitId
  /** The largest seq that a delivered commit of another session depends on. */
  readonly covered: number
  readonly time: Timestamp
}

/** A batch as it is stored. */
export interface StoredBatch {
  readonly previous: BatchId
  readonly signed: boolean
  /** Canonical bytes, as they are sent. */
  readonly encoded: Uint8Array
}

export const encodeMeta = (space: SpaceId): Uint8Array =>
  encodeCanonical([STORE_VERSION, fromHex(space)])

/** The space of a store. Throws `store-version`. */
export function decodeMeta(encoded: Uint8Array): SpaceId {
  const fields = array(decodeCanonical(encoded), 'meta')
  const version = whole(fields[0], 'meta.version')
  if (version > STORE_VERSION) {
    throw new PeerplaneError('store-version', `the store has version ${version}`)
  }
  return toHex(bytes(fields[1], 'meta.space', HASH_BYTES)) as SpaceId
}

/** Byte strings one after the other: an opening and its signature, a chain of admissions, a fork. */
export const encodeList = (items: readonly Uint8Array[]): Uint8Array => encodeCanonical(items)

export const decodeList = (encoded: Uint8Array): Uint8Array[] =>
  array(decodeCanonical(encoded), 'list').map((item) => bytes(item, 'list item'))

export const encodeTip = (tip: StoredTip): Uint8Array =>
  encodeCanonical([tip.seq, fromHex(tip.commit), fromHex(tip.batch)])

export function decodeTip(encoded: Uint8Array): StoredTip {
  const fields = array(decodeCanonical(encoded), 'tip', 3)
  return {
    seq: whole(fields[0], 'tip.seq', 1),
    commit: toHex(bytes(fields[1], 'tip.commit', HASH_BYTES)) as CommitId,
    batch: toHex(bytes(fields[2], 'tip.batch', HASH_BYTES)) as BatchId,
  }
}

export const encodeReach = (reach: Reach): Uint8Array =>
  encodeCanonical([
    reach.seq,
    fromHex(reach.commit),
    reach.covered,
    reach.time.ms,
    reach.time.counter,
  ])

export function decodeReach(encoded: Uint8Array): Reach {
  const fields = array(decodeCanonical(encoded), 'reach', 5)
  return {
    seq: whole(fields[0], 'reach.seq'),
    commit: toHex(bytes(fields[1], 'reach.commit')) as CommitId,
    covered: whole(fields[2], 'reach.covered'),
    time: { ms: whole(fields[3], 'reach.ms'), counter: whole(fields[4], 'reach.counter') },
  }
}

/** A fork: the place where it begins, and the contradicting batches up to the one that is signed. */
export const encodeFork = (seq: number, batches: readonly Uint8Array[]): Uint8Array =>
  encodeCanonical([seq, batches] as Value)

/** The place where a fork begins. */
export const decodeForkSeq = (encoded: Uint8Array): number =>
  whole(array(decodeCanonical(encoded), 'fork', 2)[0], 'fork.seq', 1)

const UNSIGNED = Uint8Array.of(0)
const SIGNED = Uint8Array.of(1)

// Not canonical CBOR around canonical CBOR: a megabyte would be copied and checked once more.
export const encodeStoredBatch = ({ previous, signed, encoded }: StoredBatch): Uint8Array =>
  concatBytes(signed ? SIGNED : UNSIGNED, fromHex(previous), encoded)

export const decodeStoredBatch = (value: Uint8Array): StoredBatch => ({
  signed: value[0] === 1,
  previous: toHex(value.subarray(1, 1 + HASH_BYTES)) as BatchId,
  encoded: value.subarray(1 + HASH_BYTES),
})
