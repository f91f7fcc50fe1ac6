import { decodeBatch, type Batch, type Write } from '@peerplane/core'

import { firstSeqOfKey, isBatchKey, sessionOfKey } from './keys.ts'
import { decodeStoredBatch } from './records.ts'

/** The batch that a write of a log puts into its store, if it puts one there: for tools that watch stores. Throws `malformed`. */
export function batchOfWrite({ key, value }: Write): Batch | undefined {
  if (!value || !isBatchKey(key)) return undefined
  const { encoded, previous } = decodeStoredBatch(value)
  return decodeBatch(encoded, sessionOfKey(key), previous, firstSeqOfKey(key))
}
