import {
  commitSize,
  decodeBatch,
  equalBytes,
  lastSeq,
  limits,
  PeerplaneError,
  weightOf,
} from '@peerplane/core'
import type { Batch, BatchId, Commit, Run, SessionId, Store } from '@peerplane/core'

import { missingBatch, readBatches, type PlacedBatch } from './range.ts'
import type { HeldSession } from './sessions.ts'

/** A batch and its bytes. */
export interface EncodedBatch {
  readonly batch: Batch
  readonly encoded: Uint8Array
}

/** A place in a session, and the batch before it. */
export interface SessionPlace {
  readonly seq: number
  readonly previous: BatchId
}

/** A run, compared with what is held of its session. Not one signature is checked yet. */
export interface DecodedRun {
  /** The last batch, whose signature speaks for all. `undefined` when no batch brings anything that is not held. */
  readonly last: Batch | undefined
  /** The batches beyond what is held. */
  readonly fresh: readonly EncodedBatch[]
  /** Where the run contradicts what is held: the place of the first batch that differs, and the run's batches from there on. */
  readonly contradiction: (SessionPlace & { readonly batches: readonly Batch[] }) | undefined
  /** The place after the last batch. `undefined` when the run goes on after a fork that is known: that part was not looked at. */
  readonly end: SessionPlace | undefined
}

/** How much was hashed for runs whose signatures are not verified yet, in bytes, about. */
export interface Unproved {
  weight: number
}

/**
 * Decodes the batches of a run that begins at or before the end of what is held; `first` is what the first batch of its session names as the
 * batch before it. What it costs is added to `unproved`. Throws `malformed`, `too-large` or `broken-chain`.
 *
 *     held:   ├─ 1…4 ─┼─ 5…6 ─┼─ 7 ─┤
 *     run:            ├─ 5…6 ─┼─ 7 ─┼─ 8…12 ─┤      the same twice, then one fresh batch
 */
export async function decodeRun(
  run: Run,
  held: HeldSession | undefined,
  first: BatchId,
  store: Store,
  unproved: Unproved,
): Promise<DecodedRun> {
  const overlap = await readOverlap(run, held, store)
  let place = { seq: run.from, previous: overlap[0]?.previous ?? held?.stored.batch ?? first }
  let last: Batch | undefined
  let contradiction: (SessionPlace & { batches: Batch[] }) | undefined
  const fresh: EncodedBatch[] = []
  let weight = 0
  for (const [index, encoded] of run.batches.entries()) {
    if (!contradiction && held?.fork && place.seq >= held.fork.seq) {
      return { last: undefined, fresh, contradiction, end: undefined }
    }
    const ours = contradiction ? undefined : overlap[index]
    const after = ours && afterOf(overlap, index, held!)
    if (ours && after && equalBytes(ours.encoded, encoded)) {
      place = after
      continue
    }
    const batch = decodeOne(encoded, run.session, place, unproved)
    weight += weightOf(batch, encoded)
    if (run.batches.length > 1 && weight > limits.runBytes) {
      throw new PeerplaneError('too-large', `a run expands to ${weight} bytes`)
    }
    if (ours && batch.id !== after!.previous) contradiction = { ...place, batches: [] }
    contradiction?.batches.push(batch)
    if (!ours && !contradiction) fresh.push({ batch, encoded })
    if (!ours || contradiction) last = batch
    place = { seq: lastSeq(batch) + 1, previous: batch.id }
  }
  return { last, fresh, contradiction, end: place }
}

/** Decodes a batch. One that cannot be decoded may have cost as much as the largest one. */
function decodeOne(
  encoded: Uint8Array,
  session: SessionId,
  { previous, seq }: SessionPlace,
  unproved: Unproved,
): Batch {
  const before = unproved.weight
  unproved.weight += limits.batchBytes
  const batch = decodeBatch(encoded, session, previous, seq)
  batch.commits.forEach(checkCommit)
  unproved.weight = before + weightOf(batch, encoded)
  return batch
}

/** What is held from the beginning of the run on, one batch more than the run has. */
async function readOverlap(
  run: Run,
  held: HeldSession | undefined,
  store: Store,
): Promise<PlacedBatch[]> {
  if (!held || run.from > held.stored.seq) return []
  const limit = run.batches.length + 1
  const overlap = await readBatches(store, run.session, run.from, held.stored.seq, limit)
  if (overlap[0]?.firstSeq !== run.from) {
    throw new PeerplaneError('broken-chain', `no batch begins at commit ${run.from}`)
  }
  return overlap
}

/** The place after a held batch. Throws `store-corrupt` if the batch there is missing. */
function afterOf(
  overlap: readonly PlacedBatch[],
  index: number,
  { id, stored }: HeldSession,
): { readonly seq: number; readonly previous: BatchId } {
  const next = overlap[index + 1]
  if (next) return { seq: next.firstSeq, previous: next.previous }
  const { firstSeq, commits } = overlap[index]!
  if (firstSeq + commits <= stored.seq) throw missingBatch(id, firstSeq + commits)
  return { seq: stored.seq + 1, previous: stored.batch }
}

function checkCommit(commit: Commit): void {
  const size = commitSize(commit)
  if (size > limits.commitBytes) {
    throw new PeerplaneError('too-large', `a commit of ${size} bytes`)
  }
  if (commit.header.deps.some((dep) => dep.session === commit.session)) {
    throw new PeerplaneError('malformed', 'a commit depends on its own session')
  }
}
