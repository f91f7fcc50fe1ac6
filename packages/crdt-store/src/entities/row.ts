import {
  array,
  bytes,
  decodeCanonical,
  encodeCanonical,
  freeze,
  fromHex,
  text,
  toHex,
  whole,
  type Body,
  type Json,
  type SessionId,
} from '@peerplane/core'

/*
 *   row       [model version, mirror as JSON, version of the state, snapshot]
 *   waiting   [session, seq, [ms, counter], model version, body]
 *
 * The mirror stands beside the snapshot, so that listing folds nothing and needs no kernel.
 */

/** A stored row. */
export interface Row {
  /** A version newer than the model's: not readable here. 0: not folded yet, and without a mirror. */
  readonly modelVersion: number
  readonly mirror: string
  readonly version: string
  /** Of an entity that is folded on delivery; otherwise empty. */
  readonly snapshot: Uint8Array
}

/** A body with the version of the model it was written for. */
export interface VersionedBody extends Body {
  readonly modelVersion: number
}

/** Row of an entity that nobody has folded. */
export const unfoldedRow: Row = {
  modelVersion: 0,
  mirror: '',
  version: '',
  snapshot: new Uint8Array(0),
}

/** Row of an entity with a body for a newer model. */
export const newerRow = (modelVersion: number): Row => ({ ...unfoldedRow, modelVersion })

export const encodeRow = ({ modelVersion, mirror, version, snapshot }: Row): Uint8Array =>
  encodeCanonical([modelVersion, mirror, version, snapshot])

/** Throws `malformed`. */
export function decodeRow(encoded: Uint8Array): Row {
  const fields = array(decodeCanonical(encoded), 'row', 4)
  return {
    modelVersion: whole(fields[0], 'row.modelVersion'),
    mirror: text(fields[1], 'row.mirror', Number.MAX_SAFE_INTEGER),
    version: text(fields[2], 'row.version', Number.MAX_SAFE_INTEGER),
    snapshot: bytes(fields[3], 'row.snapshot'),
  }
}

/** The mirror of a row, frozen. */
export const readMirror = (row: Row): Json => freeze(JSON.parse(row.mirror) as Json)

export const encodeWaiting = ({ origin, modelVersion, bytes: body }: VersionedBody): Uint8Array =>
  encodeCanonical([
    fromHex(origin.session),
    origin.seq,
    [origin.time.ms, origin.time.counter],
    modelVersion,
    body,
  ])

/** Throws `malformed`. */
export function decodeWaiting(encoded: Uint8Array): VersionedBody {
  const fields = array(decodeCanonical(encoded), 'waiting', 5)
  const time = array(fields[2], 'waiting.time', 2)
  return {
    origin: {
      session: toHex(bytes(fields[0], 'waiting.session')) as SessionId,
      seq: whole(fields[1], 'waiting.seq'),
      time: { ms: whole(time[0], 'waiting.ms'), counter: whole(time[1], 'waiting.counter') },
    },
    modelVersion: whole(fields[3], 'waiting.modelVersion'),
    bytes: bytes(fields[4], 'waiting.body'),
  }
}
