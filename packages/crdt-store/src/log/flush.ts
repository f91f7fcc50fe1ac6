import {
  encodeBatch,
  encodeOpening,
  lastSeq,
  makeBatch,
  signBatch,
  weightOf,
} from '@peerplane/core'
import type { Batch, Commit, Write } from '@peerplane/core'

import { admissionKey, batchKey, openingKey, reachKey, tipKey } from '../storage/keys.ts'
import { encodeList, encodeReach, encodeStoredBatch, encodeTip } from '../storage/records.ts'
import type { Author, OwnSession } from './own-session.ts'
import type { Sessions } from './sessions.ts'
import type { PendingFlush } from './pending-flush.ts'

/** A flush, signed. */
export interface SignedFlush {
  readonly batches: readonly { readonly own: OwnSession; readonly batch: Batch }[]
  /** Openings, batches, tips and reaches. */
  readonly writes: readonly Write[]
}

/** Chains and signs the batches of a flush; the openings of sessions that begin in it are stored with them. */
export async function signFlush(
  flush: PendingFlush,
  author: Author,
  sessions: Sessions,
): Promise<SignedFlush> {
  const unsigned = flush.batches.map(({ own, seed, commits }) => {
    const batch = makeBatch(own.previous, commits as [Commit, ...Commit[]], seed)
    own.previous = batch.id
    return { own, batch }
  })
  const batches = await Promise.all(
    unsigned.map(async ({ own, batch }) => ({ own, batch: await signBatch(batch, author.key) })),
  )
  const owns = [...new Set(batches.map(({ own }) => own))]
  const writes = owns.filter(({ opened }) => !opened).flatMap((own) => openingWrites(own, author))
  for (const { batch } of batches) writes.push(...batchWrites(batch, sessions))
  return { batches, writes }
}

const openingWrites = ({ id, opening }: OwnSession, { chain }: Author): Write[] => [
  { key: openingKey(id), value: encodeOpening(opening) },
  {
    key: admissionKey(opening.admission),
    value: encodeList(chain.map((admission) => admission.bytes)),
  },
]

/** A batch of this device is delivered when it is stored, so its tip and its reach are written with it. Of several batches the last one's stay. */
function batchWrites(batch: Batch, sessions: Sessions): Write[] {
  const { id, session, previous, commits } = batch
  const { seq, time } = commits.at(-1)!.header
  const covered = sessions.get(session)?.reach.covered ?? 0
  const encoded = encodeBatch(batch)
  const stored = encodeStoredBatch({
    commits: commits.length,
    previous,
    signature: 'verified',
    weight: weightOf(batch, encoded),
    encoded,
  })
  return [
    { key: batchKey(session, commits[0]!.header.seq), value: stored },
    { key: tipKey(session), value: encodeTip({ seq, batch: id }) },
    { key: reachKey(session), value: encodeReach({ seq, batch: id, covered, time }) },
  ]
}

/** Records in `sessions` that a batch of this device is stored and delivered. */
export function record(own: OwnSession, batch: Batch, sessions: Sessions): void {
  const stored = { seq: lastSeq(batch), batch: batch.id }
  const { id, opening, first } = own
  own.opened = true
  const known = sessions.get(id)
  if (known) sessions.extend(known, stored)
  const held =
    known ??
    sessions.add({
      id,
      device: opening.device,
      parents: opening.parents,
      start: opening.start,
      isUnderstood: true,
      first,
      stored,
    })
  sessions.deliver(batch)
  sessions.written(held)
}
