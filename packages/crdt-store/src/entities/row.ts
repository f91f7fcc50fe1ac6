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
  type DeviceId,
  type Json,
  type SessionId,
} from '@peerplane/core'

/*
 *   row       [model version, problem, mirror as JSON, version of the state, snapshot]
 *   waiting   [device, session, seq, [ms, counter], model version, body]
 *
 * The mirror stands beside the snapshot, so that listing folds nothing and needs no kernel.
 */

/** A stored row. */
export interface Row {
  /** 0: not folded yet, and without a mirror. */
  readonly modelVersion: number
  /** Why the entity cannot be read as it is declared; empty where it can. */
  readonly problem: string
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
  problem: '',
  mirror: '',
  version: '',
  snapshot: new Uint8Array(0),
}

/** Row of an entity with bodies that cannot be read as it is declared. */
export const unreadableRow = (problem: string): Row => ({
  ...unfoldedRow,
  modelVersion: 1,
  problem,
})

export const encodeRow = ({ modelVersion, problem, mirror, version, snapshot }: Row): Uint8Array =>
  encodeCanonical([modelVersion, problem, mirror, version, snapshot])

/** Throws `malformed`. */
export function decodeRow(encoded: Uint8Array): Row {
  const fields = array(decodeCanonical(encoded), 'row', 5)
  return {
    modelVersion: whole(fields[0], 'row.modelVersion'),
    problem: text(fields[1], 'row.problem', Number.MAX_SAFE_INTEGER),
    mirror: text(fields[2], 'row.mirror', Number.MAX_SAFE_INTEGER),
    version: text(fields[3], 'row.version', Number.MAX_SAFE_INTEGER),
    snapshot: bytes(fields[4], 'row.snapshot'),
  }
}

/** The mirror of a row, frozen. */
export const readMirror = (row: Row): Json => freeze(JSON.parse(row.mirror) as Json)

export const encodeWaiting = ({ origin, modelVersion, bytes: body }: VersionedBody): Uint8Array =>
  encodeCanonical([
    fromHex(origin.device),
    fromHex(origin.session),
    origin.seq,
    [origin.time.ms, origin.time.counter],
    modelVersion,
    body,
  ])

/** Throws `malformed`. */
export function decodeWaiting(encoded: Uint8Array): VersionedBody {
  const fields = array(decodeCanonical(encoded), 'waiting', 6)
  const time = array(fields[3], 'waiting.time', 2)
  return {
    origin: {
      device: toHex(bytes(fields[0], 'waiting.device')) as DeviceId,
      session: toHex(bytes(fields[1], 'waiting.session')) as SessionId,
      seq: whole(fields[2], 'waiting.seq'),
      time: { ms: whole(time[0], 'waiting.ms'), counter: whole(time[1], 'waiting.counter') },
    },
    modelVersion: whole(fields[4], 'waiting.modelVersion'),
    bytes: bytes(fields[5], 'waiting.body'),
  }
}
