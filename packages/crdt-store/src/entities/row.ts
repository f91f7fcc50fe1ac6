import {
  arrayField,
  bytesField,
  decodeCanonical,
  encodeCanonical,
  freeze,
  fromHex,
  PREFIX_BYTES,
  textField,
  toHex,
  wholeField,
  type Body,
  type DeviceId,
  type Json,
  type SessionId,
} from '@peerplane/core'

/*
 *   row       [model version, problem, incomplete, mirror as JSON, version of the state, snapshot, when it was last changed]
 *   waiting   [device, session, seq, [ms, counter], prefix, model version, body]
 *
 * The mirror stands beside the snapshot, so that listing folds nothing and needs no kernel.
 */

/** A stored row. */
export interface Row {
  /** 0: not folded yet, and without a mirror. */
  readonly modelVersion: number
  /** Why the entity cannot be read as it is declared; empty where it can. */
  readonly problem: string
  /** Whether it lacks bodies that cannot be read here. */
  readonly isIncomplete: boolean
  readonly mirror: string
  readonly version: string
  /** Of an entity that is folded on delivery; otherwise empty. */
  readonly snapshot: Uint8Array
  /** At least until then nobody had changed it: what waits for it counts only when it is folded. */
  readonly changedMs: number
}

/** A body with the version of the model it was written for. */
export interface VersionedBody extends Body {
  readonly modelVersion: number
}

/** Row of an entity that nobody has folded. */
export const unfoldedRow: Row = {
  modelVersion: 0,
  problem: '',
  isIncomplete: false,
  mirror: '',
  version: '',
  snapshot: new Uint8Array(0),
  changedMs: 0,
}

/** Row of an entity with bodies that cannot be read as it is declared. */
export const unreadableRow = (problem: string): Row => ({
  ...unfoldedRow,
  modelVersion: 1,
  problem,
})

export const encodeRow = (row: Row): Uint8Array =>
  encodeCanonical([
    row.modelVersion,
    row.problem,
    row.isIncomplete,
    row.mirror,
    row.version,
    row.snapshot,
    row.changedMs,
  ])

/** Throws `malformed`. */
export function decodeRow(encoded: Uint8Array): Row {
  const fields = arrayField(decodeCanonical(encoded), 'row', 7)
  return {
    modelVersion: wholeField(fields[0], 'row.modelVersion'),
    problem: textField(fields[1], 'row.problem', Number.MAX_SAFE_INTEGER),
    isIncomplete: fields[2] === true,
    mirror: textField(fields[3], 'row.mirror', Number.MAX_SAFE_INTEGER),
    version: textField(fields[4], 'row.version', Number.MAX_SAFE_INTEGER),
    snapshot: bytesField(fields[5], 'row.snapshot'),
    changedMs: wholeField(fields[6], 'row.changedMs'),
  }
}

/** The mirror of a row, frozen. */
export const readMirror = (row: Row): Json => freeze(JSON.parse(row.mirror) as Json)

export const encodeWaiting = ({ origin, prefix, modelVersion, bytes }: VersionedBody): Uint8Array =>
  encodeCanonical([
    fromHex(origin.device),
    fromHex(origin.session),
    origin.seq,
    [origin.time.ms, origin.time.counter],
    fromHex(prefix),
    modelVersion,
    bytes,
  ])

/** Throws `malformed`. */
export function decodeWaiting(encoded: Uint8Array): VersionedBody {
  const fields = arrayField(decodeCanonical(encoded), 'waiting', 7)
  const time = arrayField(fields[3], 'waiting.time', 2)
  return {
    origin: {
      device: toHex(bytesField(fields[0], 'waiting.device')) as DeviceId,
      session: toHex(bytesField(fields[1], 'waiting.session')) as SessionId,
      seq: wholeField(fields[2], 'waiting.seq'),
      time: {
        ms: wholeField(time[0], 'waiting.ms'),
        counter: wholeField(time[1], 'waiting.counter'),
      },
    },
    prefix: toHex(bytesField(fields[4], 'waiting.prefix', PREFIX_BYTES)),
    modelVersion: wholeField(fields[5], 'waiting.modelVersion'),
    bytes: bytesField(fields[6], 'waiting.body'),
  }
}
