import { codeOf, firstSeq, lastSeq, limits, PeerplaneError, verifyBatch } from '@peerplane/core'
import type {
  Admitted,
  Batch,
  Commit,
  CommitId,
  DeviceId,
  Dot,
  EntityKey,
  Frontier,
  Lineage,
  Origin,
  Run,
  Section,
  SessionId,
  Tip,
  TipTrie,
} from '@peerplane/core'

import { takeRuns, type IntakeOptions, type Taken } from './admit.ts'
import { Appender } from './append.ts'
import type { BatchIds } from './batch-ids.ts'
import type { Delivery } from './delivery.ts'
import { frozenOf } from './forks.ts'
import type { Heads } from './heads.ts'
import { historyOf, touchedBy, type HistoryPart } from './history.ts'
import { Listeners } from './listeners.ts'
import type { CommitOptions, Committed, Log, LogOptions, LogStatus, OnForked } from './log.ts'
import { Lineages } from './lineages.ts'
import { OpeningVerifier } from './opening-verifier.ts'
import { readRun } from './range.ts'
import { replay } from './replay.ts'
import { orCorrupt } from './restore.ts'
import type { Sessions } from './sessions.ts'
import { WorkQueue } from './work-queue.ts'

/** What a store holds of a log. */
export interface Restored {
  readonly sessions: Sessions
  readonly heads: Heads
  readonly ids: BatchIds
  readonly delivery: Delivery
  readonly lost: ReadonlyMap<SessionId, number>
}

/** A log that was read from its store. */
export class OpenedLog implements Log {
  readonly #options: LogOptions
  readonly #sessions: Sessions
  readonly #lineages: Lineages
  readonly #ids: BatchIds
  readonly #delivery: Delivery
  readonly #appender: Appender
  readonly #intake: IntakeOptions
  readonly #watchers = new Listeners<[Batch | undefined]>()
  readonly #deliveries = new Listeners<[readonly Commit[]]>()
  readonly #forks = new Listeners<Parameters<OnForked>>()
  readonly #failures = new Listeners<[PeerplaneError, readonly CommitId[]]>()
  readonly #queue = new WorkQueue(limits.queuedRuns)
  #closed = false

  readonly lost: ReadonlyMap<SessionId, number>
  readonly tips: TipTrie

  constructor(options: LogOptions, { sessions, heads, ids, delivery, lost }: Restored) {
    const { store, space, crypto, clock } = options
    this.#options = options
    this.#sessions = sessions
    this.#lineages = new Lineages((session) => sessions.get(session))
    this.tips = sessions.delivered
    this.#ids = ids
    this.lost = lost
    this.#delivery = delivery
    this.#appender = new Appender({
      store,
      author: options,
      clock,
      sessions,
      lineages: this.#lineages,
      heads,
      onStored: (batches) => this.#ownStored(batches),
      onFailure: (error, rejected) => {
        options.trace?.('commits.lost', { commits: rejected.length, code: error.code })
        this.#failures.call(error, rejected)
      },
    })
    const membership = new OpeningVerifier(store, space, crypto)
    const appender = this.#appender
    this.#intake = { store, crypto, sessions, membership, heads, delivery, appender }
  }

  next(): Origin {
    this.#assertOpen()
    return this.#appender.next()
  }

  commit(origin: Origin, sections: readonly Section[], how: CommitOptions): Committed {
    this.#assertOpen()
    return this.#appender.commit(origin, sections, how.durability, how.alsoWrite)
  }

  async admit(run: Run): Promise<Admitted> {
    const [outcome] = await this.admitAll([run])
    if (outcome!.status === 'rejected') throw outcome!.reason
    return outcome!.value
  }

  async admitAll(runs: readonly Run[]): Promise<readonly PromiseSettledResult<Admitted>[]> {
    this.#assertOpen()
    return this.#queue.add(() => this.#take(runs))
  }

  delivered(): Frontier {
    return this.#sessions.delivered.all
  }

  stored(): Frontier {
    return this.#sessions.stored
  }

  async range(session: SessionId, from: number, maxBytes: number): Promise<Run | undefined> {
    const { store, crypto } = this.#options
    const held = this.#sessions.get(session)
    if (!held) return undefined
    const last = held.reach.seq
    const fork = held.fork?.seq === last + 1 ? held.fork : undefined
    const verify = (batch: Batch): Promise<boolean> => verifyBatch(batch, held.device, crypto)
    return orCorrupt(readRun(store, { session, last, fork, verify }, from, maxBytes))
  }

  replay(from: Frontier): AsyncIterable<readonly Commit[]> {
    const parentsOf = (session: SessionId): readonly Tip[] => this.#sessions.get(session)!.parents
    return replay({ store: this.#options.store, from, to: this.#sessions.reaches(), parentsOf })
  }

  watch(callback: (own: Batch | undefined) => void): () => void {
    return this.#watchers.add(callback)
  }

  onDelivered(callback: (commits: readonly Commit[]) => void): () => void {
    return this.#deliveries.add(callback)
  }

  onFailure(callback: (error: PeerplaneError, rejected: readonly CommitId[]) => void): () => void {
    return this.#failures.add(callback)
  }

  onForked(callback: OnForked): () => void {
    return this.#forks.add(callback)
  }

  isVoid(dot: Dot): boolean {
    return this.#sessions.isVoid(dot)
  }

  touched(session: SessionId, from: number, to: number): Promise<ReadonlySet<EntityKey>> {
    return orCorrupt(touchedBy(this.#options.store, session, from, to))
  }

  history(
    keys: ReadonlySet<EntityKey>,
    to: ReadonlyMap<SessionId, number>,
  ): AsyncIterable<HistoryPart> {
    const reached = [...this.#sessions.reaches().values()].map((tip): [SessionId, Tip] => [
      tip.session,
      { ...tip, seq: Math.min(tip.seq, to.get(tip.session) ?? 0) },
    ])
    return historyOf(this.#options.store, keys, new Map(reached), (session) =>
      this.#lineages.placeOf(session),
    )
  }

  deviceOf(session: SessionId): DeviceId {
    return this.#sessions.get(session)!.device
  }

  lineageOf(session: SessionId): Lineage {
    return this.#lineages.of(session)
  }

  isUnderstood(session: SessionId): boolean {
    return this.#sessions.get(session)!.isUnderstood
  }

  status(): LogStatus {
    return {
      commits: this.#sessions.commits,
      waiting: this.#delivery.waiting,
      frozen: frozenOf(this.#sessions),
      contradicted: this.#delivery.contradicted,
      unreadable: this.#delivery.unreadable,
      wroteLast: this.#sessions.wroteLast(),
      pending: this.#appender.pending,
    }
  }

  retire(): Promise<void> {
    return this.#appender.retire()
  }

  settled(): Promise<void> {
    return this.#appender.settled()
  }

  hasten(): void {
    this.#appender.hasten()
  }

  async idle(): Promise<void> {
    await this.#appender.flushed()
    await this.#queue.idle()
  }

  async close(): Promise<void> {
    const { store, trace } = this.#options
    this.#closed = true
    await this.idle()
    // Without this write the next opening delivers a little again: a store that refuses it is no reason not to close.
    const { writes } = this.#sessions.takeDirty()
    if (writes.length === 0) return
    await store.write(writes, 'local').catch((error: unknown) => {
      trace?.('upkeep.failed', { what: 'how far commits are delivered', code: codeOf(error) })
    })
  }

  #assertOpen(): void {
    if (this.#closed) throw new PeerplaneError('closed', 'the log is closed')
  }

  #emit(commits: readonly Commit[]): void {
    if (commits.length === 0) return
    this.#options.trace?.('commits.delivered', { commits: commits.length, list: commits })
    this.#deliveries.call(commits)
  }

  #ownStored(batches: readonly Batch[]): void {
    const { trace } = this.#options
    for (const batch of batches) {
      this.#ids.add(batch)
      this.#delivery.advanced(batch.session)
      const { session } = batch
      trace?.('commits.stored', { session, from: firstSeq(batch), to: lastSeq(batch), own: true })
    }
    // Nobody can depend on what has only now become durable, unless this device wrote the same session before and lost its end.
    if (this.#delivery.waiting.commits > 0) {
      void this.#queue.always(async () => this.#emit(await this.#delivery.deliver()))
    }
    for (const batch of batches) this.#watchers.call(batch)
  }

  async #take(runs: readonly Run[]): Promise<PromiseSettledResult<Admitted>[]> {
    const outcomes = await takeRuns(runs, this.#intake)
    const taken = outcomes.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    const fresh = new Set(taken.flatMap(({ stored }) => stored))
    const admitted = outcomes.map((outcome, index): PromiseSettledResult<Admitted> => {
      if (outcome.status === 'rejected') return outcome
      return { status: 'fulfilled', value: this.#taken(runs[index]!.session, outcome.value, fresh) }
    })
    const { trace } = this.#options
    const { waiting } = this.#delivery
    if (waiting.commits > 0) trace?.('commits.waiting', { ...waiting })
    const isChange = taken.some(({ stored, forked }) => stored.length > 0 || forked)
    if (isChange) this.#watchers.call(undefined)
    return admitted
  }

  #taken(
    session: SessionId,
    { stored, delivered, awaits, full, forked }: Taken,
    fresh: ReadonlySet<Commit>,
  ): Admitted {
    const { trace } = this.#options
    const last = stored.at(-1)
    if (last) {
      const to = last.header.seq
      const from = to + 1 - stored.length
      trace?.('commits.stored', { session, from, to, own: false })
    }
    if (forked) trace?.('session.forked', { session, device: forked.device, seq: forked.seq })
    if (forked?.undone) this.#forks.call(forked.session, forked.seq, forked.undone)
    this.#emit(delivered)
    const released = delivered.filter((commit) => !fresh.has(commit)).length
    return {
      stored: stored.length,
      released,
      awaits,
      full,
      ...(forked && { forkedBy: forked.device }),
    }
  }
}
