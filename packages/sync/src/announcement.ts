import {
  array,
  bytes,
  decodeCanonical,
  encodeCanonical,
  equalSecrets,
  fromHex,
  HASH_BYTES,
  limits,
  list,
  mac,
  PeerplaneError,
  readTip,
  tipToValue,
  toHex,
  whole,
  type DeviceId,
  type Tip,
  type Value,
} from '@peerplane/core'

/** A frontier told to everybody by gossip. It is a hint: nothing is stored because of it. */
export interface Announcement {
  readonly device: DeviceId
  /** Grows with every announcement of a device, over restarts too. */
  readonly counter: number
  /** Compacted; the latest where all would not fit. */
  readonly tips: readonly Tip[]
}

const TIP_BYTES = 56
const ENVELOPE_BYTES = 128
const TIPS = Math.floor((limits.announcementBytes - ENVELOPE_BYTES) / TIP_BYTES)

/** Canonical CBOR `[device, counter, [tip…], mac]`; the mac under the secret of the space covers the rest. */
export function encodeAnnouncement(announcement: Announcement, secret: Uint8Array): Uint8Array {
  const content = contentOf({ ...announcement, tips: announcement.tips.slice(-TIPS) })
  return encodeCanonical([...content, macOf(content, secret)])
}

/** The announcement of gossiped bytes. Throws `malformed`, `too-large`, or `handshake-failed` when it was not written by a member. */
export function decodeAnnouncement(payload: Uint8Array, secret: Uint8Array): Announcement {
  if (payload.length > limits.announcementBytes) {
    throw new PeerplaneError('too-large', `an announcement has ${payload.length} bytes`)
  }
  const fields = array(decodeCanonical(payload), 'announcement', 4)
  const content = fields.slice(0, 3)
  const claimed = bytes(fields[3], 'announcement.mac', HASH_BYTES)
  if (!equalSecrets(claimed, macOf(content, secret))) {
    throw new PeerplaneError('handshake-failed', 'an announcement was not written by a member')
  }
  return {
    device: toHex(bytes(fields[0], 'announcement.device', HASH_BYTES)) as DeviceId,
    counter: whole(fields[1], 'announcement.counter'),
    tips: list(fields[2], 'announcement.tips', TIPS, readTip),
  }
}

/** The newest announcement of each device: tells which ones are news. */
export function createNewest(): (announcement: Announcement) => boolean {
  const counters = new Map<DeviceId, number>()
  return ({ device, counter }) => {
    if ((counters.get(device) ?? -1) >= counter) return false
    counters.delete(device)
    counters.set(device, counter)
    if (counters.size > limits.waitingCommits) counters.delete(counters.keys().next().value!)
    return true
  }
}

const contentOf = ({ device, counter, tips }: Announcement): Value[] => [
  fromHex(device),
  counter,
  tips.map(tipToValue),
]

const macOf = (content: readonly Value[], secret: Uint8Array): Uint8Array =>
  mac(secret, 'announcement', encodeCanonical(content))
