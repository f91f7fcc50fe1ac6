import {
  array,
  bytes,
  decodeCanonical,
  encodeCanonical,
  equalSecrets,
  HASH_BYTES,
  limits,
  list,
  mac,
  PeerplaneError,
  withCanonical,
  readTip,
  tipToValue,
  type Tip,
  type Value,
} from '@peerplane/core'

/*
 * A frontier told to everybody by gossip. It is a hint: nothing is stored because of it, and an old one tells nothing that is not held. So
 * it says neither who made it nor when, and nobody can speak in the place of another, or keep another from being heard.
 */

const TIP_BYTES = 56
const ENVELOPE_BYTES = 64
const TIPS = Math.floor((limits.announcementBytes - ENVELOPE_BYTES) / TIP_BYTES)

/**
 * Canonical CBOR `[[tip…], mac]` of a compacted frontier, of its end if not all of it fits; the mac under the secret of the space covers the
 * tips.
 */
export function encodeAnnouncement(tips: readonly Tip[], secret: Uint8Array): Uint8Array {
  const content = tips.slice(-TIPS).map(tipToValue)
  return encodeCanonical([content, macOf(content, secret)])
}

/** The tips of gossiped bytes. Throws `malformed`, `too-large`, or `handshake-failed` when no member wrote them. */
export function decodeAnnouncement(payload: Uint8Array, secret: Uint8Array): Tip[] {
  if (payload.length > limits.announcementBytes) {
    throw new PeerplaneError('too-large', `an announcement has ${payload.length} bytes`)
  }
  const [content, claimed] = array(decodeCanonical(payload), 'announcement', 2)
  if (!equalSecrets(bytes(claimed, 'announcement.mac', HASH_BYTES), macOf(content!, secret))) {
    throw new PeerplaneError('handshake-failed', 'an announcement was not written by a member')
  }
  return list(content, 'announcement.tips', TIPS, readTip)
}

const macOf = (content: Value, secret: Uint8Array): Uint8Array =>
  withCanonical(content, (encoded) => mac(secret, 'announcement', encoded))
