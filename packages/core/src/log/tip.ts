import { fromHex, toHex } from '../bytes.ts'
import type { Value } from '../value.ts'
import { arrayField, bytesField, wholeField } from '../fields.ts'
import { SESSION_BYTES } from '../hash.ts'
import type { BatchId, SessionId } from '../ids.ts'

/**
 * How far a session is held: its first `seq` commits. The batch that ends there has an id that begins with `mark`. That id
 * covers everything before it; the id of a commit does not.
 */
export interface Tip {
  readonly session: SessionId
  readonly seq: number
  /** The first 16 bytes of the batch id, 32 hex digits: two devices that hold different commits notice it. */
  readonly mark: string
}

/** Bytes of a mark. */
export const MARK_BYTES = 16

/** The mark of the batch with this id. */
export const markOf = (id: BatchId): string => id.slice(0, MARK_BYTES * 2)

/** A tip for the canonical encoding. */
export const tipToValue = (tip: Tip): Value => [fromHex(tip.session), tip.seq, fromHex(tip.mark)]

/** A tip of a decoded value. Throws `malformed`. */
export function readTip(value: Value, name: string): Tip {
  const fields = arrayField(value, name, 3)
  return {
    session: toHex(bytesField(fields[0], `${name}.session`, SESSION_BYTES)) as SessionId,
    seq: wholeField(fields[1], `${name}.seq`, 1),
    mark: toHex(bytesField(fields[2], `${name}.mark`, MARK_BYTES)),
  }
}
