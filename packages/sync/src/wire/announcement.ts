import {
  arrayField,
  bytesField,
  decodeCanonical,
  encodeCanonical,
  equalSecrets,
  extensionsAfter,
  fromHex,
  HASH_BYTES,
  isUnderstood,
  limits,
  listField,
  mac,
  PeerplaneError,
  readTip,
  tipToValue,
  toHex,
  wholeField,
  type Tip,
} from '@peerplane/core'

/*
 * What a device holds, told to everybody by gossip. It is a hint: nothing is stored because of it, and an old one tells nothing that is not
 * held. So it says neither who made it nor when, and nobody can speak in the place of another, or keep another from being heard.
 */

/** What an announcement says. */
export interface Announcement {
  /** Of everything that its author has delivered. */
  readonly commits: number
  readonly digest: string
  /** Tips that have changed lately. */
  readonly tips: readonly Tip[]
}

/** The latest of the tips that have changed. */
export const ANNOUNCED_TIPS = 64
const DIGEST_BYTES = 16

/** Canonical CBOR `[[commits, digest, [tip…]], mac]`; the mac under the secret of the space covers the content. */
export function encodeAnnouncement(
  { commits, digest, tips }: Announcement,
  secret: Uint8Array,
): Uint8Array {
  const content = [commits, fromHex(digest), tips.slice(-ANNOUNCED_TIPS).map(tipToValue)]
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

/** What a member announced. Throws `malformed`, `too-large`, or `needs-update` for an unknown critical key. */
export function decodeAnnouncement(content: Uint8Array): Announcement {
  const fields = arrayField(decodeCanonical(content), 'announcement')
  const { extensions } = extensionsAfter(fields, 3, 'announcement')
  if (!isUnderstood(extensions)) {
    throw new PeerplaneError('needs-update', 'an announcement has an unknown critical key')
  }
  return {
    commits: wholeField(fields[0], 'announcement.commits'),
    digest: toHex(bytesField(fields[1], 'announcement.digest', DIGEST_BYTES)),
    tips: listField(fields[2], 'announcement.tips', ANNOUNCED_TIPS, readTip),
  }
}

/** CBOR of what stands before the content, an array of two, and before the MAC, a byte string. */
const PAIR = 0x82
const MAC_HEADER = [0x58, HASH_BYTES]

const macOf = (content: Uint8Array, secret: Uint8Array): Uint8Array =>
  mac(secret, 'announcement', content)
