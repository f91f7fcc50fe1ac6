import { lastSeq } from '@peerplane/core'
import type { Commit, Dot, Frontier, SessionId, Store } from '@peerplane/core'

import { CausalOrder, causesOf } from './causal-order.ts'
import { decodePlaced, missingBatch, nextOf, readBatchFrom, readDecoded } from './range.ts'

/** Commits handed out at once, about. */
const CHUNK = 1024
/** Batches read at once from one session. */
const PORTION = 8

/** A session to be replayed from the commit after `reached` to commit `last`. */
interface Cursor {
  readonly session: SessionId
  readonly from: number
  readonly last: number
  /** First seq of the batch that is read next. */
  next: number
}

/** What is replayed. */
export interface ReplayOptions {
  readonly store: Store
  readonly from: Frontier
  readonly to: Frontier
  readonly parentsOf: (session: SessionId) => readonly Dot[]
}

/** The commits beyond `from` and up to `to`, a causally closed frontier of what is stored, in causal order. */
export async function* replay({
  store,
  from,
  to,
  parentsOf,
}: ReplayOptions): AsyncGenerator<readonly Commit[]> {
  const cursors = new Map<SessionId, Cursor>()
  const reached = new Map<SessionId, number>()
  // Who depends on what comes after a fork has it behind the end.
  const order = new CausalOrder(
    (session) => {
      const seq = reached.get(session)
      return seq === undefined || seq === to.get(session)?.seq ? Infinity : seq
    },
    (batch) => causesOf(batch, parentsOf(batch.session)),
  )
  for (const { session, seq: last } of to.values()) {
    const done = from.get(session)?.seq ?? 0
    if (done >= last) continue
    cursors.set(session, { session, from: done, last, next: done + 1 })
    reached.set(session, done)
  }
  for (const cursor of cursors.values()) {
    const { session, next } = cursor
    const first = await readBatchFrom(store, session, next)
    if (!first || nextOf(first) <= next) throw missingBatch(session, next)
    cursor.next = nextOf(first)
    order.add(decodePlaced(session, first))
  }

  let chunk: Commit[] = []
  for (let batch = order.next(); batch; batch = order.next()) {
    const cursor = cursors.get(batch.session)!
    reached.set(batch.session, lastSeq(batch))
    order.delivered(batch)
    for (const commit of batch.commits) if (commit.header.seq > cursor.from) chunk.push(commit)
    if (chunk.length >= CHUNK) {
      yield chunk
      chunk = []
    }
    if (!order.holds(batch.session)) await load(cursor)
  }
  if (chunk.length > 0) yield chunk

  async function load(cursor: Cursor): Promise<void> {
    const { session, last } = cursor
    if (cursor.next > last) return
    for (const { batch } of await readDecoded(store, session, cursor.next, last, PORTION)) {
      cursor.next = lastSeq(batch) + 1
      order.add(batch)
    }
  }
}
