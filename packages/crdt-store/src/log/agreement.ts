import { depsDigest, equalBytes, firstSeq, markOf } from '@peerplane/core'
import type { Batch, BatchId, Dot } from '@peerplane/core'

import type { BatchIds } from './batch-ids.ts'
import type { Planned } from './planned.ts'
import type { Sessions } from './sessions.ts'

/** Compares what a batch says of the commits before it with those that are held here. */
export class Agreement {
  readonly #sessions: Sessions
  readonly #ids: BatchIds

  constructor(sessions: Sessions, ids: BatchIds) {
    this.#sessions = sessions
    this.#ids = ids
  }

  /**
   * Whether what a batch depends on, and the parents of its session if it is the first one, are what is held here at these places. All of
   * them must be delivered, or `planned`. What comes after a fork cannot be compared: it has no effect, whichever of it the author had.
   */
  async of(batch: Batch, planned?: Planned): Promise<boolean> {
    const parents = firstSeq(batch) > 1 ? [] : (this.#sessions.get(batch.session)?.parents ?? [])
    for (const parent of parents) {
      if (this.#sessions.isVoid(parent)) continue
      const id = await this.#idAt(parent, planned)
      if (!id || markOf(id) !== parent.mark) return false
    }
    const { deps, digest } = batch.commits[0]!.header
    if (deps.some((dep) => this.#sessions.isVoid(dep))) return true
    const found: BatchId[] = []
    for (const dep of deps) {
      const id = await this.#idAt(dep, planned)
      if (!id) return false
      found.push(id)
    }
    return equalBytes(depsDigest(found), digest)
  }

  async #idAt(dot: Dot, planned: Planned | undefined): Promise<BatchId | undefined> {
    const soon = planned?.idAt(dot)
    if (soon) return soon
    const reach = this.#sessions.get(dot.session)?.reach
    if (reach?.seq === dot.seq) return reach.batch
    return this.#ids.peek(dot) ?? (await this.#ids.read(dot))
  }
}
