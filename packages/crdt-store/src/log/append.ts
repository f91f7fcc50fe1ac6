import { asPeerplaneError, codeOf, limits, makeBatch, PeerplaneError } from '@peerplane/core'
import type {
  Batch,
  Commit,
  CommitId,
  HybridClock,
  Origin,
  Section,
  SessionId,
  Store,
  StoreDurability,
  Write,
} from '@peerplane/core'

import { record, signFlush } from './flush.ts'
import type { Head, Heads } from './heads.ts'
import type { Lineages } from './lineages.ts'
import { openOwnSession, type Author, type OpenSession, type OwnSession } from './own-session.ts'
import type { Sessions } from './sessions.ts'
import { tailOf } from './tail.ts'
import {
  append,
  checkSections,
  newPendingFlush,
  prepare,
  sizeOf,
  type Prepared,
  type PendingFlush,
} from './pending-flush.ts'

/** What appending works with. */
export interface AppenderOptions {
  readonly store: Store
  readonly author: Author
  readonly clock: HybridClock
  readonly sessions: Sessions
  readonly lineages: Lineages
  readonly heads: Heads
  /** Own batches are durable. */
  readonly onStored: (batches: readonly Batch[]) => void
  /** These commits, in their order, could not be stored and are no longer part of the log. */
  readonly onFailure: (error: PeerplaneError, rejected: readonly CommitId[]) => void
}

const IN_MEMORY = Promise.resolve()

/** More than lie between two commands in one task. */
const STEPS = 100

/**
 * Writes this device's session. A commit is part of the log in memory at once; one flush at a time makes durable what has queued up meanwhile: a
 * group commit, in which an idle writer waits for nobody.
 */
export class Appender {
  readonly #options: AppenderOptions
  #own: OpenSession | undefined
  /** The start of its last session, of which nothing may be stored yet. */
  #start = -1
  #queued: PendingFlush = newPendingFlush()
  #flushing: PendingFlush | undefined
  #loop: Promise<void> | undefined
  #bytes = 0
  #hastens = false
  #keeping = false

  constructor(options: AppenderOptions) {
    this.#options = options
  }

  /** See {@link Log.next}. */
  next(): Origin {
    const { clock, sessions, heads } = this.#options
    // A session covers all that its device has written as far as it is known here, so that no commit counts for less than an earlier one.
    if (this.#own && sessions.deliveredOf(this.#own.opening.device) > this.#own.delivered) {
      this.#end(this.#own)
    }
    this.#own ??= this.#begin()
    const merges = Math.max(0, Math.ceil(heads.count / limits.deps) - 1)
    const { id: session, opening, lineage, seq } = this.#own
    return { device: opening.device, session, seq: seq + merges + 1, time: clock.next(), lineage }
  }

  #begin(): OpenSession {
    const { author, clock, sessions, lineages } = this.#options
    const own = openOwnSession(author, sessions, lineages, {
      now: clock.wallTime(),
      after: this.#start,
    })
    this.#start = own.opening.start!
    return own
  }

  /** See {@link Log.commit}. */
  commit(
    origin: Origin,
    sections: readonly Section[],
    durability: 'memory' | StoreDurability,
    alsoWrite: (commit: CommitId) => readonly Write[] = () => [],
  ): { readonly id: CommitId; readonly durable: Promise<void> } {
    const own = this.#own
    if (!own || own.id !== origin.session || origin.seq <= own.seq) {
      throw new PeerplaneError('store-failed', 'the session of this commit was abandoned')
    }
    checkSections(sections)
    const size = sizeOf(sections, limits.deps)
    if (this.pending >= limits.pendingCommands || this.#bytes + size > limits.pendingBytes) {
      throw new PeerplaneError('overloaded', `${this.pending} commits are not yet durable`)
    }
    const { heads } = this.#options
    const flush = this.#queued
    const taken = heads.first(limits.deps * (origin.seq - own.seq))
    const made = this.#prepare(flush, own, origin, taken, sections)
    const { commit } = made.at(-1)!
    const also = alsoWrite(commit.id)
    // From here on nothing throws.
    for (const each of made) append(flush, each)
    heads.remove(taken)
    flush.alsoWrite.push(...also)
    if (durability === 'synced') flush.durability = 'synced'
    this.#bytes += size
    this.#options.author.trace?.('commit.appended', {
      commit: commit.id,
      session: own.id,
      seq: origin.seq,
      entities: sections.length,
    })
    this.#loop ??= Promise.resolve().then(() => this.#flushAll())
    void this.#keepTail()
    return { id: commit.id, durable: durability === 'memory' ? IN_MEMORY : flush.durable.promise }
  }

  /** The commit at `origin`, after the empty ones that fold more heads than one commit may name. */
  #prepare(
    flush: PendingFlush,
    own: OwnSession,
    { seq: last, time }: Origin,
    heads: readonly Head[],
    sections: readonly Section[],
  ): Prepared[] {
    const { author } = this.#options
    const made: Prepared[] = []
    for (let seq = own.seq + 1; seq <= last; seq++) {
      const from = (seq - own.seq - 1) * limits.deps
      const deps = heads.slice(from, from + limits.deps)
      made.push(prepare(flush, own, { seq, time }, deps, seq < last ? [] : sections, author))
    }
    return made
  }

  /** See {@link Log.hasten}. */
  hasten(): void {
    this.#hastens = true
    void this.#keepTail()
  }

  /** Should it fail, the commits are still to be stored in the usual way. */
  async #keepTail(): Promise<void> {
    if (!this.#hastens || this.#keeping) return
    this.#keeping = true
    // Commands that are called together are decided some steps of one task apart; one write for all of them is the likeliest to get through.
    let seen = -1
    for (let rest = STEPS; rest > 0; rest--) {
      await Promise.resolve()
      if (seen !== this.pending) rest = STEPS
      seen = this.pending
    }
    this.#keeping = false
    const flushes = [this.#flushing, this.#queued].filter((flush) => flush !== undefined)
    if (this.pending > 0) this.#setAside(tailOf(flushes))
  }

  #setAside(tail: Uint8Array | undefined): void {
    const { store, author } = this.#options
    try {
      store.aside?.set(tail)
    } catch (error) {
      author.trace?.('upkeep.failed', { what: 'the last commits of a page', code: codeOf(error) })
    }
  }

  /** Commits that are not durable yet. */
  get pending(): number {
    return this.#queued.commits + (this.#flushing?.commits ?? 0)
  }

  /** Whether this session is being written. */
  writes(session: SessionId): boolean {
    return this.#own?.id === session
  }

  /** Ends this device's session, at once; the next commit opens another one that depends on it. Resolves when it is durable. */
  async retire(): Promise<void> {
    if (this.#own) this.#end(this.#own)
    await this.flushed()
  }

  #end(own: OwnSession): void {
    this.#own = undefined
    if (own.seq === 0) return
    let { previous } = own
    // These batches are complete, so they have their ids.
    for (const { own: of, commits, seed } of this.#queued.batches) {
      if (of === own) previous = makeBatch(previous, commits as [Commit, ...Commit[]], seed).id
    }
    this.#options.heads.add({ session: own.id, seq: own.seq, batch: previous })
  }

  /** See {@link Log.settled}. A flush is made durable after the one before it, and given up with it. */
  settled(): Promise<void> {
    if (this.#queued.commits > 0) return this.#queued.durable.promise
    return this.#flushing?.durable.promise ?? IN_MEMORY
  }

  /** Resolves when all commits so far are durable or were given up. */
  async flushed(): Promise<void> {
    while (this.#loop) await this.#loop
  }

  async #flushAll(): Promise<void> {
    while (this.#queued.commits > 0) {
      const flush = this.#queued
      this.#flushing = flush
      this.#queued = newPendingFlush()
      this.#bytes = 0
      const outcome = await this.#flush(flush).catch((error: unknown) =>
        asPeerplaneError(error, 'store-failed'),
      )
      this.#flushing = undefined
      if (outcome instanceof PeerplaneError) {
        this.#giveUp(outcome, flush)
      } else {
        flush.durable.resolve()
        this.#options.onStored(outcome)
      }
    }
    this.#loop = undefined
  }

  async #flush(flush: PendingFlush): Promise<readonly Batch[]> {
    const { store, author, sessions } = this.#options
    const { batches, writes } = await signFlush(flush, author, sessions)
    const dirty = sessions.takeDirty()
    try {
      await store.write([...dirty.writes, ...writes, ...flush.alsoWrite], flush.durability)
    } catch (error) {
      sessions.unwritten(dirty.sessions)
      throw error
    }
    for (const { own, batch } of batches) record(own, batch, sessions)
    return batches.map(({ batch }) => batch)
  }

  /** The log goes on from what is durable, in a new session: what the failed write left behind may yet show up after a restart. */
  #giveUp(error: PeerplaneError, failed: PendingFlush): void {
    const { heads, sessions, onFailure } = this.#options
    const flushes = [failed, this.#queued]
    // What is reported as lost must not come back.
    if (this.#hastens) this.#setAside(undefined)
    this.#own = undefined
    this.#queued = newPendingFlush()
    this.#bytes = 0
    heads.reset(sessions.values())
    for (const flush of flushes) flush.durable.reject(error)
    const commits = flushes.flatMap(({ batches }) => batches.flatMap((batch) => batch.commits))
    onFailure(
      error,
      commits.map(({ id }) => id),
    )
  }
}
