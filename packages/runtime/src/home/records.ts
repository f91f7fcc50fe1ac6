import {
  arrayField,
  bytesField,
  decodeCanonical,
  encodeCanonical,
  HASH_BYTES,
  limits,
  PeerplaneError,
  textField,
  wholeField,
  type Json,
  type Timestamp,
  type Value,
} from '@peerplane/core'

/*
 * What a home stores in its journal:
 *
 *   event      [model version, ms, counter, hash of the event before, hash of the command, body]
 *   outcome    [hash of the command, OK, event number, [reply] or []]
 *              [hash of the command, REJECTED or FAILED, event number, code, reason]
 *   snapshot   [signature of the model, ms, counter, hash of the last event, snapshot of the state]
 */

const OK = 0
const REJECTED = 1
const FAILED = 2

/** The record of an event. */
export interface EventRecord {
  readonly modelVersion: number
  readonly time: Timestamp
  readonly before: Uint8Array
  readonly command: Uint8Array
  readonly body: Uint8Array
}

/** What a handler has decided: it replied, it rejected the command, or it failed. `number` is that of the last event of the entity. */
export type StrongVerdict =
  | { readonly outcome: 'ok'; readonly number: number; readonly reply: Json | undefined }
  | {
      readonly outcome: 'rejected' | 'failed'
      readonly number: number
      readonly code: string
      readonly reason: string
    }

/** The record of an outcome. */
export interface OutcomeRecord {
  readonly command: Uint8Array
  readonly verdict: StrongVerdict
}

/** The record of a snapshot. */
export interface SnapshotRecord {
  readonly signature: string
  readonly time: Timestamp
  readonly last: Uint8Array
  readonly state: Uint8Array
}

export const encodeEvent = ({
  modelVersion,
  time,
  before,
  command,
  body,
}: EventRecord): Uint8Array =>
  encodeCanonical([modelVersion, time.ms, time.counter, before, command, body])

export const decodeEvent = (record: Uint8Array): EventRecord =>
  stored(record, (fields) => ({
    modelVersion: wholeField(fields[0], 'the model version'),
    time: timeOf(fields[1], fields[2]),
    before: bytesField(fields[3], 'the hash of the event before', HASH_BYTES),
    command: bytesField(fields[4], 'the hash of the command', HASH_BYTES),
    body: bytesField(fields[5], 'the body'),
  }))

export function encodeOutcome({ command, verdict }: OutcomeRecord): Uint8Array {
  if (verdict.outcome === 'ok') {
    const reply = verdict.reply === undefined ? [] : [verdict.reply]
    return encodeCanonical([command, OK, verdict.number, reply])
  }
  const form = verdict.outcome === 'rejected' ? REJECTED : FAILED
  return encodeCanonical([command, form, verdict.number, verdict.code, verdict.reason])
}

export const decodeOutcome = (record: Uint8Array): OutcomeRecord =>
  stored(record, (fields) => ({
    command: bytesField(fields[0], 'the hash of the command', HASH_BYTES),
    verdict: verdictOf(fields),
  }))

function verdictOf(fields: readonly Value[]): StrongVerdict {
  const form = wholeField(fields[1], 'the outcome')
  const number = wholeField(fields[2], 'the number')
  if (form === OK) {
    const [reply] = arrayField(fields[3], 'the reply')
    // Only JSON was written.
    return { outcome: 'ok', number, reply: reply as Json | undefined }
  }
  const outcome = form === REJECTED ? 'rejected' : 'failed'
  const code = textField(fields[3], 'the code', limits.commitBytes)
  return { outcome, number, code, reason: textField(fields[4], 'the reason', limits.commitBytes) }
}

export const encodeSnapshot = ({ signature, time, last, state }: SnapshotRecord): Uint8Array =>
  encodeCanonical([signature, time.ms, time.counter, last, state])

export const decodeSnapshot = (record: Uint8Array): SnapshotRecord =>
  stored(record, (fields) => ({
    signature: textField(fields[0], 'the signature', limits.commitBytes),
    time: timeOf(fields[1], fields[2]),
    last: bytesField(fields[3], 'the hash of the last event', HASH_BYTES),
    state: bytesField(fields[4], 'the state'),
  }))

const timeOf = (ms: Value | undefined, counter: Value | undefined): Timestamp => ({
  ms: wholeField(ms, 'the time'),
  counter: wholeField(counter, 'the counter'),
})

function stored<T>(record: Uint8Array, read: (fields: readonly Value[]) => T): T {
  try {
    return read(arrayField(decodeCanonical(record), 'a record'))
  } catch (cause) {
    throw new PeerplaneError('store-corrupt', 'a record of the journal is damaged', { cause })
  }
}
