import { compareTimestamps, depsDigest, equalBytes, lastSeq } from '@peerplane/core'
import type {
  Batch,
  Commit,
  CommitId,
  Dot,
  HybridClock,
  SessionId,
  Store,
  Timestamp,
} from '@peerplane/core'

import { CausalOrder, depsOf } from './causal-order.ts'
import type { CommitIds } from './commit-ids.ts'
import type { Heads } from './heads.ts'
import { readDecoded } from './range.ts'
import type { Sessions } from './sessions.ts'

/** What delivery works with. */
export interface DeliveryOptions {
  readonly store: Store
  readonly sessions: Sessions
  readonly heads: Heads
  readonly ids: CommitIds
  readonly clock: HybridClock
  readonly ignoreDependencies: boolean
}

/** Stored batches that wait for what they depend on, and how they are let go. */
export class Delivery {
  readonly #options: DeliveryOptions
  readonly #order: CausalOrder
  readonly #sizes = new Map<Batch, number>()
  readonly #contradicted = new Set<SessionId>()
  #commits = 0
  #bytes = 0

  constructor(options: DeliveryOptions) {
    const { sessions, ignoreDependencies } = options
    this.#options = options
    this.#order = new CausalOrder(
      (session) => sessions.reached(session),
      ignoreDependencies ? () => [] : depsOf,
    )
  }

  /** Takes in what is stored and not delivered, when the log opens. */
  async restore(): Promise<void> {
    const { store, sessions } = this.#options
    for (const { id, stored, reach } of sessions.values()) {
      for (let from = reach.seq + 1; from <= stored.seq;) {
        for (const { batch, size } of await readDecoded(store, id, from, stored.seq, 16)) {
          this.add(batch, size)
          from = lastSeq(batch) + 1
        }
      }
    }
    await this.deliver()
  }

  /** Adds the next stored batch of its session; `size` is its length in bytes. */
  add(batch: Batch, size: number): void {
    this.#sizes.set(batch, size)
    this.#commits += batch.commits.length
    this.#bytes += size
    this.#order.add(batch)
  }

  /** Delivers all that is ready and returns it, in causal order. */
  async deliver(): Promise<Commit[]> {
    const { sessions, heads, ids, clock } = this.#options
    const delivered: Commit[] = []
    for (let batch = this.#order.next(); batch; batch = this.#order.next()) {
      // The store may fail to be read. What is ready stays so, and is tried again with the next delivery.
      const agrees = await this.#agrees(batch).catch(() => undefined)
      if (agrees === undefined) {
        this.#order.retry(batch)
        break
      }
      if (!agrees) {
        this.#contradicted.add(batch.session)
        continue
      }
      sessions.deliver(batch)
      heads.deliver(batch)
      ids.add(batch)
      clock.observe(latest(batch))
      this.#remove(batch)
      this.#order.delivered(batch)
      for (const commit of batch.commits) delivered.push(commit)
    }
    return delivered
  }

  /** An own session reaches further: somebody may have waited for it. */
  advanced(session: SessionId): void {
    this.#order.advanced(session)
  }

  /** Whether these batches, the next ones of one session, would be delivered at once. */
  wouldDeliver(batches: readonly Batch[]): boolean {
    const { sessions, ignoreDependencies } = this.#options
    if (this.#order.holds(batches[0]!.session)) return false
    if (ignoreDependencies) return true
    return batches.every((batch) =>
      depsOf(batch).every((dep) => sessions.reached(dep.session) >= dep.seq),
    )
  }

  /** What waits. */
  get waiting(): { readonly commits: number; readonly bytes: number } {
    return { commits: this.#commits, bytes: this.#bytes }
  }

  /** Sessions whose next batch depends on other commits than those held here at the same places. */
  get contradicted(): readonly SessionId[] {
    return [...this.#contradicted]
  }

  #remove(batch: Batch): void {
    this.#commits -= batch.commits.length
    this.#bytes -= this.#sizes.get(batch)!
    this.#sizes.delete(batch)
  }

  /** Whether what the batch depends on are the very commits that are held here. */
  async #agrees(batch: Batch): Promise<boolean> {
    const { ids, ignoreDependencies } = this.#options
    if (ignoreDependencies) return true
    for (const { header } of batch.commits) {
      const found: CommitId[] = []
      for (const dep of header.deps) {
        const id = this.#known(dep) ?? (await ids.read(dep))
        if (!id) return false
        found.push(id)
      }
      if (!equalBytes(depsDigest(found), header.digest)) return false
    }
    return true
  }

  #known(dep: Dot): CommitId | undefined {
    const reach = this.#options.sessions.get(dep.session)?.reach
    return reach?.seq === dep.seq ? reach.commit : this.#options.ids.peek(dep)
  }
}

const latest = (batch: Batch): Timestamp =>
  batch.commits
    .map(({ header }) => header.time)
    .reduce((a, b) => (compareTimestamps(a, b) < 0 ? b : a))
