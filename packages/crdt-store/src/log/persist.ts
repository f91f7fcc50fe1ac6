import { encodeBatch, firstSeq } from '@peerplane/core'
import type { Batch, SessionId, Store, Write } from '@peerplane/core'

import { admissionKey, batchKey, openingKey, tipKey } from '../storage/keys.ts'
import { encodeList, encodeStoredBatch, encodeTip, type StoredTip } from '../storage/records.ts'
import type { VerifiedOpening } from './membership.ts'
import type { Sessions } from './sessions.ts'

/** A batch and its bytes as they are stored. */
export interface StoredForm {
  readonly batch: Batch
  readonly encoded: Uint8Array
}

/**
 * Batches of a run as they are stored. Only the last signature was verified, and it speaks for all: the others are dropped, or this
 * device would pass them on as if it had checked them.
 */
export const storedForms = (batches: readonly Batch[]): StoredForm[] =>
  batches.map((each, index) => {
    const batch = index === batches.length - 1 ? each : { ...each, signature: undefined }
    return { batch, encoded: encodeBatch(batch) }
  })

/** Stores the next batches of a session, `opening` with its first ones, and whatever reach is not written yet. */
export async function persistBatches(
  session: SessionId,
  forms: readonly StoredForm[],
  opening: VerifiedOpening | undefined,
  { store, sessions }: { readonly store: Store; readonly sessions: Sessions },
): Promise<void> {
  const last = forms.at(-1)!.batch
  const { id: commit, header } = last.commits.at(-1)!
  const tip: StoredTip = { seq: header.seq, commit, batch: last.id }
  const dirty = sessions.takeDirty()
  try {
    await store.write(
      [
        ...dirty.writes,
        ...(opening ? openingWrites(opening) : []),
        ...forms.map(batchWrite),
        { key: tipKey(session), value: encodeTip(tip) },
      ],
      'synced',
    )
  } catch (error) {
    sessions.unwritten(dirty.sessions)
    throw error
  }
  if (opening) {
    const { device, parents } = opening.opening
    sessions.add({ id: session, device, parents, stored: tip })
  } else {
    sessions.extend(sessions.get(session)!, tip)
  }
}

function openingWrites(opening: VerifiedOpening): Write[] {
  const { session, bytes, signature, chain } = opening
  return [
    { key: openingKey(session), value: encodeList([bytes, signature]) },
    { key: admissionKey(opening.opening.admission), value: encodeList(chain) },
  ]
}

const batchWrite = ({ batch, encoded }: StoredForm): Write => ({
  key: batchKey(batch.session, firstSeq(batch)),
  value: encodeStoredBatch({
    previous: batch.previous,
    signed: batch.signature !== undefined,
    encoded,
  }),
})
