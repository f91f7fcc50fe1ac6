import { fromHex, toHex } from '../bytes.ts'
import type { Value } from '../value.ts'
import { arrayField, bytesField, wholeField } from '../fields.ts'
import { SESSION_BYTES } from '../hash.ts'
import type { BatchId, SessionId } from '../ids.ts'

/**
 * The tip of a session states that a device holds the session up to commit `seq`. `mark` is the beginning of the id of the batch whose last commit is
 * `seq`. A batch id covers all earlier batches of the session, but a commit id does not.
 */
export interface Tip {
  readonly session: SessionId
  readonly seq: number
  /** The first 16 bytes of the batch id, as 32 hex digits. The mark shows whether two devices hold the same commits up to `seq`. */
  readonly mark: string
}

/** Length of a mark, in bytes. */
export const MARK_BYTES = 16

/** Returns the mark of the batch with this id. */
export const markOf = (id: BatchId): string => id.slice(0, MARK_BYTES * 2)

/** Converts a tip into a value for the canonical encoding. */
export const tipToValue = (tip: Tip): Value => [fromHex(tip.session), tip.seq, fromHex(tip.mark)]

/** Reads a tip from a decoded value. Throws `malformed`. */
export function readTip(value: Value, name: string): Tip {
  const fields = arrayField(value, name, 3)
  return {
    session: toHex(bytesField(fields[0], `${name}.session`, SESSION_BYTES)) as SessionId,
    seq: wholeField(fields[1], `${name}.seq`, 1),
    mark: toHex(bytesField(fields[2], `${name}.mark`, MARK_BYTES)),
  }
}
