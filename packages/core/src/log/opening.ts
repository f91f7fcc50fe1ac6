import { fromHex, toHex } from '../bytes.ts'
import { decodeCanonical, encodeCanonical } from '../codec.ts'
import { PeerplaneError } from '../errors.ts'
import { arrayField, bytesField, listField, wholeField } from '../fields.ts'
import { HASH_BYTES, SESSION_BYTES, hash } from '../hash.ts'
import type { BatchId, DeviceId, SessionId, SpaceId } from '../ids.ts'
import { limits } from '../limits.ts'
import { extensionsAfter, withExtensions, type Extensions } from './extensions.ts'
import { readTip, tipToValue, type Tip } from './tip.ts'

/** Version of every record of the log. */
export const FORMAT_VERSION = 1

/**
 * The first record of a session: one opening of one device's store. A session is never resumed: a device that lost the end of its log, or was
 * restored from a copy, would reuse sequence numbers and contradict itself.
 */
export interface Opening {
  readonly space: SpaceId
  readonly device: DeviceId
  /** All tips of the same device that were held when it opened. */
  readonly parents: readonly Tip[]
  /** Hash of the admission that lets the device write; of the space record for its creator. */
  readonly admission: Uint8Array
  /** 16 random bytes, so that two openings never have the same id. */
  readonly nonce: Uint8Array
  readonly extensions?: Extensions
}

/** An opening as it is stored and sent. It has no signature of its own: that of the first batch covers it. */
export interface OpeningRecord {
  readonly opening: Opening
  readonly session: SessionId
  /** See {@link firstPrevious}. */
  readonly first: BatchId
  /** Canonical bytes; the session id is the beginning of their hash. */
  readonly bytes: Uint8Array
}

/** Canonical bytes of an opening. */
export function encodeOpening(opening: Opening): Uint8Array {
  const fields = [
    FORMAT_VERSION,
    fromHex(opening.space),
    fromHex(opening.device),
    opening.parents.map(tipToValue),
    opening.admission,
    opening.nonce,
  ]
  return encodeCanonical(withExtensions(fields, opening.extensions))
}

/** What the first batch of a session names as the batch before it: the whole hash of its opening, so that the id of the batch covers it. */
export const firstPrevious = (openingBytes: Uint8Array): BatchId =>
  toHex(hash('opening', openingBytes)) as BatchId

/**
 * Id of the session whose first batch follows `first`. Half of the hash is enough: 2^64 hashes let a device make two openings of one id, which
 * splits that session alone, and 2^128 one with the id of another device's session.
 */
export const sessionIdOf = (first: BatchId): SessionId =>
  first.slice(0, 2 * SESSION_BYTES) as SessionId

/** An opening with its bytes and the ids that follow from them. */
export function makeOpening(opening: Opening): OpeningRecord {
  const bytes = encodeOpening(opening)
  const first = firstPrevious(bytes)
  return { opening, session: sessionIdOf(first), first, bytes }
}

/** The opening of received bytes. Throws `malformed` or `too-large`. */
export function decodeOpening(encoded: Uint8Array): OpeningRecord {
  const fields = arrayField(decodeCanonical(encoded), 'opening')
  const version = wholeField(fields[0], 'opening.version')
  if (version !== FORMAT_VERSION) {
    throw new PeerplaneError('malformed', `opening has format version ${version}`)
  }
  const extensions = extensionsAfter(fields, 6, 'opening')
  const first = firstPrevious(encoded)
  return {
    opening: {
      space: toHex(bytesField(fields[1], 'opening.space', HASH_BYTES)) as SpaceId,
      device: toHex(bytesField(fields[2], 'opening.device', HASH_BYTES)) as DeviceId,
      parents: listField(fields[3], 'opening.parents', limits.parents, readTip),
      admission: bytesField(fields[4], 'opening.admission', HASH_BYTES),
      nonce: bytesField(fields[5], 'opening.nonce', 16),
      ...extensions,
    },
    session: sessionIdOf(first),
    first,
    bytes: encoded,
  }
}
