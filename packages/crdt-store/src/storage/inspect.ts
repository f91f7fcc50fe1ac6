import { decodeBatch, type Batch, type Write } from '@peerplane/core'

import { unsealedWrite } from './checked-store.ts'
import { firstSeqOfKey, isBatchKey, sessionOfKey } from './keys.ts'
import { decodeStoredBatch } from './records.ts'

/**
 * Returns the batch in a write to the store below a checked store, or `undefined` if the write contains no batch. Tools that watch stores use this
 * function. Throws `malformed`.
 */
export function batchOfWrite(write: Write): Batch | undefined {
  const { key, value } = unsealedWrite(write)
  if (!value || !isBatchKey(key)) return undefined
  const { encoded, previous } = decodeStoredBatch(value)
  return decodeBatch(encoded, sessionOfKey(key), previous, firstSeqOfKey(key))
}
