import { lastSeq } from '@peerplane/core'
import type { Batch, BatchId, Dot, SessionId } from '@peerplane/core'

/** Batches that will be stored together and delivered at once: what comes with them may depend on them. */
export class Planned {
  readonly #ids = new Map<SessionId, Map<number, BatchId>>()
  readonly #reached = new Map<SessionId, number>()

  /** Adds a batch, after those of its session before it. */
  add(batch: Batch): void {
    const { session, id } = batch
    const ids = this.#ids.get(session) ?? new Map<number, BatchId>()
    this.#ids.set(session, ids.set(lastSeq(batch), id))
    this.#reached.set(session, lastSeq(batch))
  }

  clear(): void {
    this.#ids.clear()
    this.#reached.clear()
  }

  /** Whether a commit is among them, or before one of its session that is. */
  covers({ session, seq }: Dot): boolean {
    return (this.#reached.get(session) ?? 0) >= seq
  }

  /** The id of the batch that ends at a place. */
  idAt({ session, seq }: Dot): BatchId | undefined {
    return this.#ids.get(session)?.get(seq)
  }
}
