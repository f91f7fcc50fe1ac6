import {
  arrayField,
  bytesField,
  decodeCanonical,
  encodeCanonical,
  fromHex,
  PeerplaneError,
  PREFIX_BYTES,
  SESSION_BYTES,
  toHex,
  wholeField,
  type Body,
  type DeviceId,
  type SessionId,
  type Value,
} from '@peerplane/core'

/** What a document is opened from: `[saved, [banned session], [[device, session, seq, [ms, counter], prefix, bytes] of a body that waits], kinds]`. */
export interface Snapshot {
  /** What Automerge has saved. */
  readonly saved: Uint8Array
  readonly banned: readonly SessionId[]
  readonly waiting: readonly Body[]
  /** As `Kinds` saves them. */
  readonly kinds: Value
}

export const encodeSnapshot = ({ saved, banned, waiting, kinds }: Snapshot): Uint8Array =>
  encodeCanonical([
    saved,
    [...banned].sort().map(fromHex),
    waiting.map(({ origin: { device, session, seq, time }, prefix, bytes }): Value => [
      fromHex(device),
      fromHex(session),
      seq,
      [time.ms, time.counter],
      fromHex(prefix),
      bytes,
    ]),
    kinds,
  ])

/** Throws `unreadable`. */
export function decodeSnapshot(snapshot: Uint8Array): Snapshot {
  try {
    const fields = arrayField(decodeCanonical(snapshot), 'snapshot', 4)
    return {
      saved: bytesField(fields[0], 'snapshot.saved'),
      banned: arrayField(fields[1], 'snapshot.banned').map(readSession),
      waiting: arrayField(fields[2], 'snapshot.waiting').map(readBody),
      kinds: fields[3]!,
    }
  } catch (cause) {
    throw new PeerplaneError('unreadable', 'the snapshot of a document is damaged', { cause })
  }
}

function readBody(value: Value): Body {
  const fields = arrayField(value, 'body', 6)
  const time = arrayField(fields[3], 'body.time', 2)
  return {
    origin: {
      device: toHex(bytesField(fields[0], 'device', 32)) as DeviceId,
      session: readSession(fields[1]),
      seq: wholeField(fields[2], 'body.seq'),
      time: {
        ms: wholeField(time[0], 'body.time.ms'),
        counter: wholeField(time[1], 'body.time.counter'),
      },
    },
    prefix: toHex(bytesField(fields[4], 'body.prefix', PREFIX_BYTES)),
    bytes: bytesField(fields[5], 'body.bytes'),
  }
}

const readSession = (value: Value | undefined): SessionId =>
  toHex(bytesField(value, 'session', SESSION_BYTES)) as SessionId
