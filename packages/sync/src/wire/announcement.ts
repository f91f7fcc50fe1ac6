import {
  decodeCanonical,
  encodeCanonical,
  equalSecrets,
  HASH_BYTES,
  limits,
  listField,
  mac,
  readTip,
  tipToValue,
  type Tip,
} from '@peerplane/core'

/*
 * A frontier sent to all members by gossip. It is a hint: nothing is stored because of it, and an old one says nothing that is not held. So
 * it says neither who made it nor when, and nobody can speak in the place of another, or keep another from being heard.
 */

const TIP_BYTES = 64
const ENVELOPE_BYTES = 64
const TIPS = Math.floor((limits.announcementBytes - ENVELOPE_BYTES) / TIP_BYTES)

/**
 * Canonical CBOR `[[tip…], mac]` of a compacted frontier, of its end if not all of it fits; the MAC under the secret of the space covers the
 * tips.
 */
export function encodeAnnouncement(tips: readonly Tip[], secret: Uint8Array): Uint8Array {
  const content = tips.slice(-TIPS).map(tipToValue)
  return encodeCanonical([content, macOf(encodeCanonical(content), secret)])
}

/**
 * What a member announced, not decoded yet; `undefined` for bytes that no member wrote. Nothing is decoded to find that out, so that garbage
 * costs no more than hashing it.
 */
export function readAnnouncement(payload: Uint8Array, secret: Uint8Array): Uint8Array | undefined {
  const end = payload.length - MAC_HEADER.length - HASH_BYTES
  if (payload.length > limits.announcementBytes || end < 1 || payload[0] !== PAIR) return undefined
  if (MAC_HEADER.some((byte, i) => payload[end + i] !== byte)) return undefined
  const content = payload.subarray(1, end)
  const isOurs = equalSecrets(payload.subarray(-HASH_BYTES), macOf(content, secret))
  return isOurs ? content : undefined
}

/** The tips of what a member announced. Throws `malformed`. */
export const decodeTips = (content: Uint8Array): Tip[] =>
  listField(decodeCanonical(content), 'announcement.tips', TIPS, readTip)

/** CBOR of what stands before the content, an array of two, and before the MAC, a byte string. */
const PAIR = 0x82
const MAC_HEADER = [0x58, HASH_BYTES]

const macOf = (content: Uint8Array, secret: Uint8Array): Uint8Array =>
  mac(secret, 'announcement', content)
