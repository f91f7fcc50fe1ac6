import type { Batch, CommitId, Dot, SessionId, Store } from '@peerplane/core'

import { decodePlaced, readBatchAt } from './range.ts'

/** Commit ids of one generation: 16 batches of the largest count; two generations are some megabytes. */
const GENERATION = 16 * 1024

type Ids = Map<SessionId, Map<number, CommitId>>

/**
 * Ids of stored commits by their place, for checking what a commit says it depends on. Nearly all are of the latest batches; two generations
 * of those stay in memory, the others are read.
 */
export class CommitIds {
  readonly #store: Store
  #young: Ids = new Map()
  #old: Ids = new Map()
  #count = 0

  constructor(store: Store) {
    this.#store = store
  }

  /** Remembers the ids of a batch. */
  add(batch: Batch): void {
    let ids = this.#young.get(batch.session)
    if (!ids) this.#young.set(batch.session, (ids = new Map()))
    for (const { id, header } of batch.commits) ids.set(header.seq, id)
    this.#count += batch.commits.length
    if (this.#count < GENERATION) return
    this.#old = this.#young
    this.#young = new Map()
    this.#count = 0
  }

  /** The id at a place, if it is in memory. */
  peek({ session, seq }: Dot): CommitId | undefined {
    return this.#young.get(session)?.get(seq) ?? this.#old.get(session)?.get(seq)
  }

  /** The id at a place, from the store; `undefined` if no such commit is stored. */
  async read({ session, seq }: Dot): Promise<CommitId | undefined> {
    const found = await readBatchAt(this.#store, session, seq)
    if (!found) return undefined
    const batch = decodePlaced(session, found)
    this.add(batch)
    return batch.commits[seq - found.firstSeq]?.id
  }
}
