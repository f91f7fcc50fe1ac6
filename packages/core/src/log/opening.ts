import { fromHex, toHex } from '../bytes.ts'
import { decodeCanonical, encodeCanonical } from '../codec.ts'
import { PeerplaneError } from '../errors.ts'
import { arrayField, bytesField, listField, wholeField } from '../fields.ts'
import { HASH_BYTES, SESSION_BYTES, hash } from '../hash.ts'
import type { BatchId, DeviceId, SessionId, SpaceId } from '../ids.ts'
import { limits } from '../limits.ts'
import type { Value } from '../value.ts'
import { extensionsAfter, withExtensions, type Extensions } from './extensions.ts'
import { readTip, tipToValue, type Tip } from './tip.ts'

/** The format version of every record in the log. */
export const FORMAT_VERSION = 1

/**
 * The first record of a session, made when a device first writes after it has opened its store. A device never resumes an earlier session. If
 * sessions were resumed, a device that lost the end of its log, or was restored from a copy, would give one number in a session to two different
 * commits.
 */
export interface Opening {
  readonly space: SpaceId
  readonly device: DeviceId
  /** The tips of earlier sessions of the same device that the device held when it opened this session, at most `limits.parents`. */
  readonly parents: readonly Tip[]
  /** The hash of the admission that allows the device to write. For the creator of the space, `admission` is the hash of the space record. */
  readonly admission: Uint8Array
  /** 16 random bytes, so that no two openings have the same session id. */
  readonly nonce: Uint8Array
  /**
   * The start of the session: the wall clock of the device in milliseconds since 1970 when the session began, or 1 more than the latest start of the
   * sessions of the device that it knew, whichever is greater. The default is 0.
   */
  readonly start?: number
  /** The extensions that this version of Peerplane does not know. */
  readonly extensions?: Extensions
}

/** The key of the extension that holds the start. It is critical, because a device that ignored the start would show another state. */
const START = 0

/**
 * An opening with its encoding, and the ids computed from the encoding. An opening has no signature of its own, because the signature of the first
 * batch of the session covers it.
 */
export interface OpeningRecord {
  readonly opening: Opening
  readonly session: SessionId
  /** See {@link firstPrevious}. */
  readonly first: BatchId
  /** The canonical bytes of the opening, whose hash begins with the session id. */
  readonly bytes: Uint8Array
}

/** Checks the format version of a record. Throws `needs-update` for a later version, and `malformed` for anything else. */
export function checkVersion(value: Value | undefined, name: string): void {
  const version = wholeField(value, `${name}.version`, FORMAT_VERSION)
  if (version === FORMAT_VERSION) return
  throw new PeerplaneError('needs-update', `${name} has format version ${version}`, {
    advice: 'Update this device.',
  })
}

/** Encodes an opening as canonical bytes. */
export function encodeOpening(opening: Opening): Uint8Array {
  const fields = [
    FORMAT_VERSION,
    fromHex(opening.space),
    fromHex(opening.device),
    opening.parents.map(tipToValue),
    opening.admission,
    opening.nonce,
  ]
  return encodeCanonical(withExtensions(fields, extensionsOf(opening)))
}

const extensionsOf = ({ start, extensions = [] }: Opening): Extensions =>
  start === undefined ? extensions : [[START, start], ...extensions]

/**
 * Returns the value of `previous` in the first batch of a session: the whole hash of the opening. Because `previous` of the first batch is the hash
 * of the opening, the id of the first batch also covers the opening.
 */
export const firstPrevious = (openingBytes: Uint8Array): BatchId =>
  toHex(hash('opening', openingBytes)) as BatchId

/**
 * Computes the id of a session from the field `previous` of its first batch. A session id is only half of a hash, but that is long enough to prevent
 * harmful collisions. By computing 2^64 hashes, a device can make two openings with the same session id, but only that session loses its effect. Making
 * an opening with the session id of another device takes 2^128 hashes.
 */
export const sessionIdOf = (first: BatchId): SessionId =>
  first.slice(0, 2 * SESSION_BYTES) as SessionId

/** Returns an opening with its encoding, and the ids computed from the encoding. */
export function makeOpening(opening: Opening): OpeningRecord {
  const bytes = encodeOpening(opening)
  const first = firstPrevious(bytes)
  return { opening, session: sessionIdOf(first), first, bytes }
}

/** Decodes a received opening. Throws `malformed`, `too-large` or `needs-update`. */
export function decodeOpening(encoded: Uint8Array): OpeningRecord {
  const fields = arrayField(decodeCanonical(encoded), 'opening')
  checkVersion(fields[0], 'opening')
  const { extensions } = extensionsAfter(fields, 6, 'opening')
  const first = firstPrevious(encoded)
  return {
    opening: {
      space: toHex(bytesField(fields[1], 'opening.space', HASH_BYTES)) as SpaceId,
      device: toHex(bytesField(fields[2], 'opening.device', HASH_BYTES)) as DeviceId,
      parents: listField(fields[3], 'opening.parents', limits.parents, readTip),
      admission: bytesField(fields[4], 'opening.admission', HASH_BYTES),
      nonce: bytesField(fields[5], 'opening.nonce', 16),
      ...knownOf(extensions),
    },
    session: sessionIdOf(first),
    first,
    bytes: encoded,
  }
}

/** Separates the start from the extensions that are unknown. A start of another form is unknown, so that its session has no effect. */
function knownOf(extensions: Extensions | undefined): Pick<Opening, 'start' | 'extensions'> {
  const [first, ...rest] = extensions ?? []
  if (first?.[0] !== START || !isStart(first[1])) return extensions ? { extensions } : {}
  return { start: first[1], ...(rest.length > 0 && { extensions: rest }) }
}

const isStart = (value: Value): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0
