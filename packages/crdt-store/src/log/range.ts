import {
  decodeBatch,
  decodeOpening,
  encodeForkProof,
  limits,
  PeerplaneError,
} from '@peerplane/core'
import type { Batch, ForkProof, OpeningEvidence, Run, SessionId, Store } from '@peerplane/core'

import { admissionKey, batchKey, firstSeqOfKey, openingKey } from '../storage/keys.ts'
import { decodeList, decodeStoredBatch, type StoredBatch } from '../storage/records.ts'

/** A stored batch and its place. */
export interface PlacedBatch extends StoredBatch {
  readonly firstSeq: number
}

/** The stored batch of `session` that holds commit `seq`, or the last one before it. */
export async function readBatchAt(
  store: Store,
  session: SessionId,
  seq: number,
): Promise<PlacedBatch | undefined> {
  const [entry] = await store.scan({
    from: batchKey(session, 0),
    to: batchKey(session, seq + 1),
    limit: 1,
    reverse: true,
  })
  return entry && { firstSeq: firstSeqOfKey(entry.key), ...decodeStoredBatch(entry.value) }
}

/** As {@link readBatchAt}, for a commit with which a batch probably begins: then it costs a single look-up. */
export async function readBatchFrom(
  store: Store,
  session: SessionId,
  seq: number,
): Promise<PlacedBatch | undefined> {
  const value = await store.get(batchKey(session, seq))
  if (value) return { firstSeq: seq, ...decodeStoredBatch(value) }
  return readBatchAt(store, session, seq)
}

/** As {@link readBatchAt}, for a commit that is stored. Throws `store-corrupt` if its batch is missing. */
export async function readBatchOf(
  store: Store,
  session: SessionId,
  seq: number,
): Promise<PlacedBatch> {
  const found = await readBatchAt(store, session, seq)
  if (found && nextOf(found) > seq) return found
  throw missingBatch(session, seq)
}

/** Throws `store-corrupt` if a batch is missing between these. */
function assertNoGap(session: SessionId, batches: readonly PlacedBatch[]): void {
  for (const [i, { firstSeq }] of batches.entries()) {
    const due = i === 0 ? firstSeq : nextOf(batches[i - 1]!)
    if (firstSeq !== due) throw missingBatch(session, due)
  }
}

/** Seq of the commit after a batch. */
export const nextOf = ({ firstSeq, commits }: PlacedBatch): number => firstSeq + commits

/** The stored batches of `session` that begin at `from` to `to`, at most `limit`. Throws `store-corrupt` if one is missing between them. */
export async function readBatches(
  store: Store,
  session: SessionId,
  from: number,
  to: number,
  limit: number,
): Promise<PlacedBatch[]> {
  const range = { from: batchKey(session, from), to: batchKey(session, to + 1), limit }
  const entries = await store.scan(range)
  const batches = entries.map(({ key, value }) => ({
    firstSeq: firstSeqOfKey(key),
    ...decodeStoredBatch(value),
  }))
  assertNoGap(session, batches)
  return batches
}

/** Decodes what is stored at a place. Throws `store-corrupt`. */
export function decodePlaced(session: SessionId, placed: PlacedBatch): Batch {
  try {
    return decodeBatch(placed.encoded, session, placed.previous, placed.firstSeq)
  } catch (cause) {
    const place = `commit ${placed.firstSeq} of session ${session}`
    throw new PeerplaneError('store-corrupt', `the batch at ${place} is damaged`, { cause })
  }
}

/** The batches of `session` from the one that begins at `from`, at least one, at most `limit`, decoded. Throws `store-corrupt`. */
export async function readDecoded(
  store: Store,
  session: SessionId,
  from: number,
  to: number,
  limit: number,
): Promise<{ readonly batch: Batch; readonly size: number }[]> {
  let next = from
  const found = (await readBatches(store, session, from, to, limit)).map((placed) => {
    if (placed.firstSeq !== next) throw missingBatch(session, next)
    const batch = decodePlaced(session, placed)
    next += batch.commits.length
    return { batch, size: placed.encoded.length }
  })
  if (found.length === 0) throw missingBatch(session, next)
  return found
}

/** What is thrown where a batch should be. */
export const missingBatch = (session: SessionId, seq: number): PeerplaneError =>
  new PeerplaneError('store-corrupt', `session ${session} has no batch at commit ${seq}`)

/** The part of a session that may leave this device. */
export interface Servable {
  readonly session: SessionId
  /** Seq of the last delivered commit. */
  readonly last: number
  /** Ends the run that reaches to `last`. */
  readonly fork: ForkProof | undefined
  /** Whether the device of the session has signed a batch. */
  readonly verify: (batch: Batch) => Promise<boolean>
}

/**
 * The run that begins with the batch holding commit `from`, or with the fork before it. It ends with a batch whose signature was found good,
 * the last one within `maxBytes` or else the first one, or with the proof of a fork.
 */
export async function readRun(
  store: Store,
  servable: Servable,
  from: number,
  maxBytes: number,
): Promise<Run | undefined> {
  const { session, last, fork } = servable
  if (from > last) return fork && proofRun(store, fork)
  const first = await readBatchFrom(store, session, from)
  if (!first || nextOf(first) <= from) throw missingBatch(session, from)
  const batches: PlacedBatch[] = []
  let size = 0
  let weight = 0
  let end = 0
  let isLast = true
  let mayLook = true
  // One look at a signature that was not checked is enough: only that of a forger is bad, and then one that was checked comes later.
  const closes = async (): Promise<boolean> => {
    const placed = batches.at(-1)!
    if (placed.signature !== 'unchecked' || !mayLook) return false
    mayLook = false
    return servable.verify(decodePlaced(session, placed))
  }
  for await (const batch of following(store, session, first, last)) {
    size += batch.encoded.length
    weight += batch.weight
    const isFull =
      size > maxBytes || weight > limits.runBytes || batches.length === limits.runBatches
    if (batches.length > 0 && isFull) {
      if (end < batches.length && (await closes())) end = batches.length
      isLast = end === 0
      if (!isLast) break
    }
    batches.push(batch)
    if (batch.signature === 'verified') end = batches.length
  }
  const proves =
    fork && isLast && batches.length + fork.branches[0].links.length <= limits.runBatches
  if (proves || (isLast && end < batches.length && (await closes()))) end = batches.length
  if (end === 0) return undefined
  const run = {
    session,
    from: first.firstSeq,
    opening: first.firstSeq === 1 ? await readEvidence(store, session) : undefined,
    batches: batches.slice(0, end).map(({ encoded }) => encoded),
  }
  return proves ? { ...run, fork: encodeForkProof(fork) } : run
}

async function proofRun(store: Store, fork: ForkProof): Promise<Run> {
  const { session, seq } = fork
  const opening = seq === 1 ? await readEvidence(store, session) : undefined
  return { session, from: seq, opening, batches: [], fork: encodeForkProof(fork) }
}

/** `first` and the batches after it up to `last`, none of which may be missing, read in portions that grow: most runs are short, and a batch may have a megabyte. */
export async function* following(
  store: Store,
  session: SessionId,
  first: PlacedBatch,
  last: number,
): AsyncGenerator<PlacedBatch> {
  yield first
  let from = nextOf(first)
  for (let limit = 4; from <= last; limit = Math.min(limit * 4, 256)) {
    const portion = await readBatches(store, session, from, last, limit)
    if (portion[0]?.firstSeq !== from) throw missingBatch(session, from)
    yield* portion
    from = nextOf(portion.at(-1)!)
  }
}

async function readEvidence(
  store: Store,
  session: SessionId,
): Promise<OpeningEvidence | undefined> {
  const bytes = await store.get(openingKey(session))
  if (!bytes) return undefined
  const { opening } = decodeOpening(bytes)
  const chain = await store.get(admissionKey(opening.admission))
  return { bytes, chain: chain ? decodeList(chain) : [] }
}
