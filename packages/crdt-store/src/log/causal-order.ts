import { firstSeq } from '@peerplane/core'
import type { Batch, Dot, SessionId } from '@peerplane/core'

/** The batches of one session that are not delivered, in their order, and how far the first of them was examined. */
interface SessionQueue {
  readonly session: SessionId
  readonly batches: Batch[]
  /** Everything the first batch depends on, of which the first `met` are delivered. */
  deps: readonly Dot[]
  met: number
}

/** A queue whose first batch waits until some session reaches `seq`. */
interface Waiter {
  readonly seq: number
  readonly queue: SessionQueue
}

/**
 * Puts batches into causal order: a batch is ready when the batch before it in its session and everything its commits depend on are
 * delivered.
 *
 * Each queue waits for one unmet dependency at a time and is looked at again only when that one is met, so the whole costs no more than a
 * look at every dependency, and a binary search for those that had to wait.
 *
 * Batches are delivered as a whole. That cannot lock writers up: only the first commit of a batch depends on others, so nothing can depend on
 * a part of it that it waits for itself.
 */
export class CausalOrder {
  readonly #reached: (session: SessionId) => number
  readonly #depsOf: (batch: Batch) => readonly Dot[]
  readonly #queues = new Map<SessionId, SessionQueue>()
  readonly #waiters = new Map<SessionId, Waiter[]>()
  readonly #ready: SessionQueue[] = []

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
    const queue = this.#queues.get(batch.session)
    if (queue) {
      queue.batches.push(batch)
      return
    }
    const fresh: SessionQueue = {
      session: batch.session,
      batches: [batch],
      deps: this.#depsOf(batch),
      met: 0,
    }
    this.#queues.set(batch.session, fresh)
    this.#examine(fresh)
  }

  /** A batch that is ready; it is not offered again. Until {@link delivered} is called for it, its session goes no further. */
  next(): Batch | undefined {
    for (let queue = this.#ready.shift(); queue; queue = this.#ready.shift()) {
      if (this.#queues.get(queue.session) === queue) return queue.batches[0]
    }
    return undefined
  }

  /** Has {@link next} offer a batch again that it gave before. */
  retry(batch: Batch): void {
    const queue = this.#queues.get(batch.session)
    if (queue?.batches[0] === batch) this.#ready.push(queue)
  }

  /** Takes out the batches of a session that begin at `from` or after it, and returns them. */
  cut(session: SessionId, from: number): Batch[] {
    const queue = this.#queues.get(session)
    const index = queue?.batches.findIndex((batch) => firstSeq(batch) >= from) ?? -1
    if (!queue || index < 0) return []
    const removed = queue.batches.splice(index)
    if (queue.batches.length === 0) this.#queues.delete(session)
    return removed
  }

  /** What waits of a session. */
  waiting(session: SessionId): readonly Batch[] {
    return this.#queues.get(session)?.batches ?? []
  }

  /** Removes a batch that {@link next} gave, after its session was made to reach its end. */
  delivered(batch: Batch): void {
    const queue = this.#queues.get(batch.session)!
    queue.batches.shift()
    const first = queue.batches[0]
    if (first) {
      queue.deps = this.#depsOf(first)
      queue.met = 0
      this.#examine(queue)
    } else {
      this.#queues.delete(batch.session)
    }
    this.advanced(batch.session)
  }

  /** Wakes who waited for a session that reaches further now. */
  advanced(session: SessionId): void {
    const waiters = this.#waiters.get(session)
    if (!waiters) return
    const reached = this.#reached(session)
    while (waiters.length > 0 && waiters.at(-1)!.seq <= reached) {
      const { queue } = waiters.pop()!
      if (this.#queues.get(queue.session) === queue) this.#examine(queue)
    }
    if (waiters.length === 0) this.#waiters.delete(session)
  }

  /** Whether batches of this session wait. */
  holds(session: SessionId): boolean {
    return this.#queues.has(session)
  }

  #examine(queue: SessionQueue): void {
    for (; queue.met < queue.deps.length; queue.met++) {
      const dep = queue.deps[queue.met]!
      if (this.#reached(dep.session) < dep.seq) {
        this.#wait(dep, queue)
        return
      }
    }
    this.#ready.push(queue)
  }

  #wait(dep: Dot, queue: SessionQueue): void {
    const waiters = this.#waiters.get(dep.session)
    if (!waiters) {
      this.#waiters.set(dep.session, [{ seq: dep.seq, queue }])
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
    waiters.splice(low, 0, { seq: dep.seq, queue })
  }
}

/** What a batch depends on: its first commit alone has deps. */
const depsOf = (batch: Batch): readonly Dot[] => batch.commits[0]!.header.deps

/** Of the first batch its session's parents, too: a session with parents that nobody has is announced to nobody. */
export const causesOf = (batch: Batch, parents: readonly Dot[]): readonly Dot[] =>
  firstSeq(batch) > 1 ? depsOf(batch) : [...parents, ...depsOf(batch)]
