import { decodeBatch, type Batch, type Write } from '@peerplane/core'

import { unsealedWrite } from './checked-store.ts'
import { firstSeqOfKey, isBatchKey, sessionOfKey } from './keys.ts'
import { decodeStoredBatch } from './records.ts'

/**
 * Returns the batch that a write contains, or `undefined` if the write contains no batch. `write` must be a write that a checked store has made to
 * the store below it. Tools that observe stores use `batchOfWrite`. Throws `malformed`.
 */
export function batchOfWrite(write: Write): Batch | undefined {
  const { key, value } = unsealedWrite(write)
  if (!value || !isBatchKey(key)) return undefined
  const { encoded, previous } = decodeStoredBatch(value)
  return decodeBatch(encoded, sessionOfKey(key), previous, firstSeqOfKey(key))
}
