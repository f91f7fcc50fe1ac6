import { lastSeq } from '@peerplane/core'
import type { Batch, BatchId, Dot, SessionId, Store } from '@peerplane/core'

import { decodePlaced, readBatchOf } from './range.ts'

/** Ids of one generation; two are some megabytes. */
const GENERATION = 16 * 1024

type Ids = Map<SessionId, Map<number, BatchId>>

/**
 * Ids of stored batches by the place of their last commit, for checking what a commit says it depends on. Nearly all are of the latest
 * batches; two generations of those stay in memory, the others are read.
 */
export class BatchIds {
  readonly #store: Store
  #young: Ids = new Map()
  #old: Ids = new Map()
  #count = 0

  constructor(store: Store) {
    this.#store = store
  }

  /** Remembers the id of a batch. */
  add(batch: Batch): void {
    let ids = this.#young.get(batch.session)
    if (!ids) this.#young.set(batch.session, (ids = new Map()))
    ids.set(lastSeq(batch), batch.id)
    if (++this.#count < GENERATION) return
    this.#old = this.#young
    this.#young = new Map()
    this.#count = 0
  }

  /** The id of the batch that ends at a place, if it is in memory. */
  peek({ session, seq }: Dot): BatchId | undefined {
    return this.#young.get(session)?.get(seq) ?? this.#old.get(session)?.get(seq)
  }

  /** The id of the batch that ends at a stored place, from the store; `undefined` if no batch does. Throws `store-corrupt` if it is missing. */
  async read({ session, seq }: Dot): Promise<BatchId | undefined> {
    const batch = decodePlaced(session, await readBatchOf(this.#store, session, seq))
    this.add(batch)
    return lastSeq(batch) === seq ? batch.id : undefined
  }
}
