import { firstSeq } from '@peerplane/core'
import type { Batch, Dot, SessionId } from '@peerplane/core'

/** The batches of one session that are not delivered, in their order, and how far the first of them was examined. */
interface Line {
  readonly session: SessionId
  readonly batches: Batch[]
  /** Everything the first batch depends on, of which the first `met` are delivered. */
  deps: readonly Dot[]
  met: number
}

/** A line whose first batch waits until some session reaches `seq`. */
interface Waiter {
  readonly seq: number
  readonly line: Line
}

/**
 * Puts batches into causal order: a batch is ready when the batch before it in its session and everything its commits depend on are
 * delivered.
 *
 * Each line waits for one unmet dependency at a time and is looked at again only when that one is met, so the whole costs no more than a
 * look at every dependency, and a binary search for those that had to wait.
 *
 * Batches are delivered as a whole. That cannot lock writers up: only the first commit of a batch depends on others, so nothing can depend on
 * a part of it that it waits for itself.
 */
export class CausalOrder {
  readonly #reached: (session: SessionId) => number
  readonly #depsOf: (batch: Batch) => readonly Dot[]
  readonly #lines = new Map<SessionId, Line>()
  readonly #waiters = new Map<SessionId, Waiter[]>()
  readonly #ready: Line[] = []

  /** `reached` tells up to which seq a session is delivered, `depends` what a batch has to wait for. */
  constructor(
    reached: (session: SessionId) => number,
    depends: (batch: Batch) => readonly Dot[] = depsOf,
  ) {
    this.#reached = reached
    this.#depsOf = depends
  }

  /** Adds the batch that follows the last one of its session, whether that is delivered or was added before. */
  add(batch: Batch): void {
    const line = this.#lines.get(batch.session)
    if (line) {
      line.batches.push(batch)
      return
    }
    const fresh: Line = {
      session: batch.session,
      batches: [batch],
      deps: this.#depsOf(batch),
      met: 0,
    }
    this.#lines.set(batch.session, fresh)
    this.#examine(fresh)
  }

  /** A batch that is ready; it is not offered again. Until {@link delivered} is called for it, its session goes no further. */
  next(): Batch | undefined {
    for (let line = this.#ready.shift(); line; line = this.#ready.shift()) {
      if (this.#lines.get(line.session) === line) return line.batches[0]
    }
    return undefined
  }

  /** Has {@link next} offer a batch again that it gave before. */
  retry(batch: Batch): void {
    const line = this.#lines.get(batch.session)
    if (line?.batches[0] === batch) this.#ready.push(line)
  }

  /** Takes out the batches of a session that begin at `from` or after it, and returns them. */
  cut(session: SessionId, from: number): Batch[] {
    const line = this.#lines.get(session)
    const index = line?.batches.findIndex((batch) => firstSeq(batch) >= from) ?? -1
    if (!line || index < 0) return []
    const removed = line.batches.splice(index)
    if (line.batches.length === 0) this.#lines.delete(session)
    return removed
  }

  /** What waits of a session. */
  waiting(session: SessionId): readonly Batch[] {
    return this.#lines.get(session)?.batches ?? []
  }

  /** Removes a batch that {@link next} gave, after its session was made to reach its end. */
  delivered(batch: Batch): void {
    const line = this.#lines.get(batch.session)!
    line.batches.shift()
    const first = line.batches[0]
    if (first) {
      line.deps = this.#depsOf(first)
      line.met = 0
      this.#examine(line)
    } else {
      this.#lines.delete(batch.session)
    }
    this.advanced(batch.session)
  }

  /** Wakes who waited for a session that reaches further now. */
  advanced(session: SessionId): void {
    const waiters = this.#waiters.get(session)
    if (!waiters) return
    const reached = this.#reached(session)
    while (waiters.length > 0 && waiters.at(-1)!.seq <= reached) {
      const { line } = waiters.pop()!
      if (this.#lines.get(line.session) === line) this.#examine(line)
    }
    if (waiters.length === 0) this.#waiters.delete(session)
  }

  /** Whether batches of this session wait. */
  holds(session: SessionId): boolean {
    return this.#lines.has(session)
  }

  #examine(line: Line): void {
    for (; line.met < line.deps.length; line.met++) {
      const dep = line.deps[line.met]!
      if (this.#reached(dep.session) < dep.seq) {
        this.#wait(dep, line)
        return
      }
    }
    this.#ready.push(line)
  }

  #wait(dep: Dot, line: Line): void {
    const waiters = this.#waiters.get(dep.session)
    if (!waiters) {
      this.#waiters.set(dep.session, [{ seq: dep.seq, line }])
      return
    }
    // Descending, so that those who wake first are at the end.
    let low = 0
    let high = waiters.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (waiters[middle]!.seq > dep.seq) low = middle + 1
      else high = middle
    }
    waiters.splice(low, 0, { seq: dep.seq, line })
  }
}

/** What a batch depends on: its first commit alone has deps. */
export const depsOf = (batch: Batch): readonly Dot[] => batch.commits[0]!.header.deps
