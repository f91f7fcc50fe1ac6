import { lastSeq } from '@peerplane/core'
import type { Batch, BatchId, Dot, SessionId } from '@peerplane/core'

import type { HeldSession } from './sessions.ts'

/** A maximal commit: delivered here, and no commit that is delivered here depends on it. */
export interface Head extends Dot {
  /** Id of the batch that ends with it. */
  readonly batch: BatchId
}

/**
 * The maximal commits of all sessions but the one being written: what this device's next commit depends on.
 *
 *     S1: 1 ─ 2 ─ 3        heads {S1@3, S2@2}; after S3@1 with deps [S1@3]: {S2@2, S3@1}
 *              \
 *     S2:       1 ─ 2
 */
export class Heads {
  readonly #heads = new Map<SessionId, Head>()

  get count(): number {
    return this.#heads.size
  }

  /** Begins again with what is durable. */
  reset(sessions: Iterable<HeldSession>): void {
    this.#heads.clear()
    for (const { id: session, reach } of sessions) {
      if (reach.seq > reach.covered) {
        this.#heads.set(session, { session, seq: reach.seq, batch: reach.batch })
      }
    }
  }

  /** A batch of another session was delivered. */
  deliver(batch: Batch): void {
    for (const { header } of batch.commits) {
      for (const dep of header.deps) this.#cover(dep)
    }
    this.add({ session: batch.session, seq: lastSeq(batch), batch: batch.id })
  }

  add(head: Head): void {
    this.#heads.set(head.session, head)
  }

  /** A session was forked: later commits can depend only on what is before the fork. */
  forked({ id: session, reach }: HeldSession): void {
    this.#heads.delete(session)
    if (reach.seq > reach.covered) this.add({ session, seq: reach.seq, batch: reach.batch })
  }

  /** The first `max` heads in the order of their sessions. */
  first(max: number): Head[] {
    if (this.#heads.size === 0) return []
    return [...this.#heads.values()].sort((a, b) => (a.session < b.session ? -1 : 1)).slice(0, max)
  }

  /** Own commits depend on these heads now. */
  remove(taken: readonly Head[]): void {
    for (const { session } of taken) this.#heads.delete(session)
  }

  #cover({ session, seq }: Dot): void {
    const head = this.#heads.get(session)
    if (head && head.seq <= seq) this.#heads.delete(session)
  }
}
