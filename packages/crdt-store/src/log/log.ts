import { codeOf, firstSeq, lastSeq, limits, PeerplaneError, verifyBatch } from '@peerplane/core'
import type {
  Admission,
  Admitted,
  Batch,
  Commit,
  CommitId,
  Crypto,
  DeviceId,
  Frontier,
  HybridClock,
  Origin,
  Perturb,
  Random,
  Replica,
  Run,
  Section,
  SessionId,
  SigningKey,
  SpaceRecord,
  Store,
  StoreDurability,
  Trace,
  Write,
} from '@peerplane/core'

import { takeRun } from './admit.ts'
import { Appender } from './append.ts'
import { BatchIds } from './batch-ids.ts'
import { Delivery } from './delivery.ts'
import { frozenOf, restoreForks, type Frozen } from './forks.ts'
import { Heads } from './heads.ts'
import { Listeners } from './listeners.ts'
import { Membership } from './membership.ts'
import { readRun } from './range.ts'
import { replay } from './replay.ts'
import { checkSpace, orCorrupt, restoreSessions } from './restore.ts'
import { signTail } from './tail.ts'
import { WorkQueue } from './work-queue.ts'

/**
 * What a log works with. The store belongs to the caller, who closes it after the log, and stores the `spaceWrite` of the space before the
 * first commit or together with it.
 */
export interface LogOptions {
  readonly store: Store
  readonly space: SpaceRecord
  /** The key of this device. */
  readonly key: SigningKey
  /** From the creator of the space to this device; empty for the creator. */
  readonly chain: readonly Admission[]
  readonly crypto: Crypto
  readonly random: Random
  readonly perturb?: Perturb | undefined
  readonly trace?: Trace | undefined
  /** Observes the timestamps of everything delivered. */
  readonly clock: HybridClock
}

/** How a commit is to be made durable; `memory` does not wait for the store, which still gets it as `local`. */
export interface CommitOptions {
  readonly durability: 'memory' | StoreDurability
  /** Written in one piece with the commit: what must be durable exactly when the commit is. */
  readonly alsoWrite?: (commit: CommitId) => readonly Write[]
}

/** A commit that was just made: part of the log in memory. */
export interface Committed {
  readonly id: CommitId
  /** Resolves when the commit is as durable as was asked; rejects with a code of the store when its session had to be given up. */
  readonly durable: Promise<void>
}

/** Numbers for people and tests. */
export interface LogStatus {
  /** Delivered and durable. */
  readonly commits: number
  /** Stored commits that wait for a commit they depend on. */
  readonly waiting: { readonly commits: number; readonly bytes: number }
  readonly frozen: readonly Frozen[]
  /** Sessions whose next commit depends on another commit than the one held here at that place: somebody forked or lied. */
  readonly contradicted: readonly SessionId[]
  /** Sessions whose next commit is not delivered because what it depends on cannot be read; that is tried again with each delivery. */
  readonly unreadable: readonly SessionId[]
  /** When each device made its last commit that is delivered, in milliseconds since 1970 by its own clock. */
  readonly wroteLast: ReadonlyMap<DeviceId, number>
  /** Own commits that are not durable yet. */
  readonly pending: number
}

/** The log of a space on this device: its own session, and what came from others. */
export interface Log extends Replica {
  /**
   * The place of the commit that would be made now. The first call opens the session, in memory. A place that is not used is given again,
   * with a later time. Throws `closed`.
   */
  next(): Origin
  /**
   * Makes a commit at `origin`, the latest result of {@link next}: it depends on everything delivered here.
   * Throws, with nothing changed: `too-large`; `overloaded` with too many commits not yet durable; `store-failed` when the session of
   * `origin` was given up meanwhile; `closed`.
   */
  commit(origin: Origin, sections: readonly Section[], options: CommitOptions): Committed
  /** Calls back with foreign commits in causal order, synchronously after they became durable. The returned function ends it. */
  onDelivered(callback: (commits: readonly Commit[]) => void): () => void
  /**
   * All commits beyond `from` that are delivered and durable at the time of the call, own ones included, in causal order; none from a fork
   * on. What is delivered later comes through {@link onDelivered}.
   */
  replay(from: Frontier): AsyncIterable<readonly Commit[]>
  /**
   * Calls back when own commits could not be stored: those not yet durable, here in their order, are no longer part of the log; the next
   * commit opens a new session upon what is durable. The returned function ends it.
   */
  onFailure(callback: (error: PeerplaneError, rejected: readonly CommitId[]) => void): () => void
  /**
   * Calls back when commits that were delivered have no effect any more: their device signed two versions of their session from `seq` on,
   * and no replica that knows of it counts them either. Whoever has folded commits begins again from {@link replay}, when own ones are
   * {@link settled}: those made from now on belong to another session. The returned function ends it. After opening, {@link status} tells
   * the forks that were found before.
   */
  onForked(callback: (session: SessionId, seq: number) => void): () => void
  /** The author of a session of which something is held. */
  deviceOf(session: SessionId): DeviceId
  status(): LogStatus
  /** Ends the own session at once; the next commit opens another one. Resolves when it is durable. */
  retire(): Promise<void>
  /**
   * Resolves when every own commit that is part of the log at the call is durable; rejects with a code of the store when these commits are
   * given up. What is appended later is not waited for.
   */
  settled(): Promise<void>
  /**
   * The process may end with this task. From now on commits are kept unsigned as soon as they are made, by a write that begins in the same
   * task, until they are stored in the usual way; what is left of them is signed when the log is opened again.
   */
  hasten(): void
  /** Resolves when nothing is being stored or checked: under steady work perhaps never. */
  idle(): Promise<void>
  /** Stores what is pending and refuses further work with `closed`. Leaves the store open. */
  close(): Promise<void>
}

/**
 * Opens the log that `store` holds, or an empty one; writes nothing. Reads a few small records per session, and the commits that still wait.
 * Throws `store-version` for a store of a newer version, `wrong-space` for one of another space, `store-corrupt`, or a code of the store.
 */
export async function openLog(options: LogOptions): Promise<Log> {
  const { store, space, crypto, clock, trace } = options
  await checkSpace(store, space.id)
  const sessions = await orCorrupt(restoreSessions(store, clock))
  await orCorrupt(restoreForks(store, sessions))
  await orCorrupt(signTail(store, options, sessions, clock))
  const heads = new Heads()
  heads.reset(sessions.values())
  const ids = new BatchIds(store)
  const delivery = new Delivery({ store, sessions, heads, ids, clock, trace })
  await delivery.restore()

  const watchers = new Listeners<[Batch | undefined]>()
  const deliveries = new Listeners<[readonly Commit[]]>()
  const forks = new Listeners<[SessionId, number]>()
  const failures = new Listeners<[PeerplaneError, readonly CommitId[]]>()
  const queue = new WorkQueue(limits.queuedRuns)
  let closed = false

  const appender = new Appender({
    store,
    author: options,
    clock,
    sessions,
    heads,
    onStored: (batches) => {
      for (const batch of batches) {
        ids.add(batch)
        delivery.advanced(batch.session)
        const { session } = batch
        trace?.('commits.stored', { session, from: firstSeq(batch), to: lastSeq(batch), own: true })
      }
      // Nobody can depend on what has only now become durable, unless this device wrote the same session before and lost its end.
      if (delivery.waiting.commits > 0)
        void queue.always(async () => emit(await delivery.deliver()))
      for (const batch of batches) watchers.call(batch)
    },
    onFailure: (error, rejected) => {
      trace?.('commits.lost', { commits: rejected.length, code: error.code })
      failures.call(error, rejected)
    },
  })
  const membership = new Membership(store, space, crypto)
  const intake = { store, crypto, sessions, membership, heads, delivery, appender }

  const assertOpen = (): void => {
    if (closed) throw new PeerplaneError('closed', 'the log is closed')
  }
  const emit = (commits: readonly Commit[]): void => {
    if (commits.length === 0) return
    trace?.('commits.delivered', { commits: commits.length, list: commits })
    deliveries.call(commits)
  }
  const idle = async (): Promise<void> => {
    await appender.flushed()
    await queue.idle()
  }

  return {
    next(): Origin {
      assertOpen()
      return appender.next()
    },
    commit(origin: Origin, sections: readonly Section[], how: CommitOptions): Committed {
      assertOpen()
      return appender.commit(origin, sections, how.durability, how.alsoWrite)
    },
    async admit(run: Run): Promise<Admitted> {
      assertOpen()
      return queue.add(async () => {
        const { stored, delivered, forked } = await takeRun(run, intake)
        const last = stored.at(-1)
        if (last) {
          const { session } = run
          const to = last.header.seq
          const from = to + 1 - stored.length
          trace?.('commits.stored', { session, from, to, own: false })
        }
        if (delivery.waiting.commits > 0) trace?.('commits.waiting', { ...delivery.waiting })
        if (forked) {
          const { session, device, seq } = forked
          trace?.('session.forked', { session, device, seq })
        }
        if (forked?.undone) {
          // Who folds again from what is durable must be able to tell the commits before this from those after it.
          void appender.retire()
          forks.call(forked.session, forked.seq)
        }
        emit(delivered)
        if (stored.length > 0 || forked) watchers.call(undefined)
        const fresh = new Set(stored)
        const released = delivered.filter((commit) => !fresh.has(commit)).length
        return { stored: stored.length, released }
      })
    },
    delivered: () => sessions.delivered(),
    stored: () => sessions.stored(),
    lineage: (session) => sessions.get(session)?.parents,
    async range(session: SessionId, from: number, maxBytes: number): Promise<Run | undefined> {
      const held = sessions.get(session)
      if (!held) return undefined
      const last = held.reach.seq
      const fork = held.fork?.seq === last + 1 ? held.fork : undefined
      const verify = (batch: Batch): Promise<boolean> => verifyBatch(batch, held.device, crypto)
      return orCorrupt(readRun(store, { session, last, fork, verify }, from, maxBytes))
    },
    replay: (from: Frontier) => replay(store, from, sessions.reaches()),
    watch: (callback) => watchers.add(callback),
    onDelivered: (callback) => deliveries.add(callback),
    onFailure: (callback) => failures.add(callback),
    onForked: (callback) => forks.add(callback),
    deviceOf: (session) => sessions.get(session)!.device,
    status: () => ({
      commits: sessions.commits,
      waiting: delivery.waiting,
      frozen: frozenOf(sessions),
      contradicted: delivery.contradicted,
      unreadable: delivery.unreadable,
      wroteLast: sessions.wroteLast(),
      pending: appender.pending,
    }),
    retire: () => appender.retire(),
    settled: () => appender.settled(),
    hasten: () => appender.hasten(),
    idle,
    async close(): Promise<void> {
      closed = true
      await idle()
      // Without this write the next opening delivers a little again: a store that refuses it is no reason not to close.
      const { writes } = sessions.takeDirty()
      if (writes.length === 0) return
      await store.write(writes, 'local').catch((error: unknown) => {
        trace?.('upkeep.failed', { what: 'how far commits are delivered', code: codeOf(error) })
      })
    },
  }
}
