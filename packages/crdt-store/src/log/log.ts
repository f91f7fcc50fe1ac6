import type {
  Admission,
  Admitted,
  Commit,
  CommitId,
  Crypto,
  DeviceId,
  Dot,
  EntityKey,
  Frontier,
  HybridClock,
  Lineage,
  Origin,
  PeerplaneError,
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

import type { Frozen } from './forks.ts'
import type { HistoryPart } from './history.ts'

/**
 * Options for opening a log. The caller owns the store, and closes it after the log. The caller must store the result of `spaceWrite` before the
 * first commit, or together with it.
 */
export interface LogOptions {
  readonly store: Store
  readonly space: SpaceRecord
  /** The signing key of this device. */
  readonly key: SigningKey
  /** The chain of admissions that leads from the creator of the space to this device. The admission chain of the creator is empty. */
  readonly chain: readonly Admission[]
  readonly crypto: Crypto
  readonly random: Random
  readonly perturb?: Perturb | undefined
  readonly trace?: Trace | undefined
  /** The hybrid clock, to which the log passes the timestamps of all delivered commits. */
  readonly clock: HybridClock
}

/**
 * Options for making a commit durable. With the durability `memory`, `durable` resolves immediately, but the store still writes the commit with the
 * durability `local`.
 */
export interface CommitOptions {
  readonly durability: 'memory' | StoreDurability
  /** Returns additional writes that are stored atomically with the commit. */
  readonly alsoWrite?: (commit: CommitId) => readonly Write[]
}

/** A new commit, which is already part of the log in memory, but may not be durable yet. */
export interface Committed {
  readonly id: CommitId
  /**
   * Resolves when the commit has the requested durability. Rejects with an error code of the store if the commit could not be stored and its session
   * had to be abandoned.
   */
  readonly durable: Promise<void>
}

/** The status of a log, for display to people and for tests. */
export interface LogStatus {
  /** The number of delivered and durable commits. */
  readonly commits: number
  /** The number and the size of the stored commits that wait for a missing commit on which they depend. */
  readonly waiting: { readonly commits: number; readonly bytes: number }
  readonly frozen: readonly Frozen[]
  /**
   * Sessions with an undelivered commit that depends on another version of a commit than the version that this device holds. If a session is in this
   * list, some device has forked a session or lied about dependencies.
   */
  readonly contradicted: readonly SessionId[]
  /**
   * Sessions whose next commit is not delivered, because the store cannot read one of its dependencies. At each delivery of commits, the log tries to
   * read the unreadable dependencies again.
   */
  readonly unreadable: readonly SessionId[]
  /** The time of the last delivered commit of each device, in milliseconds since 1970 on the clock of that device. */
  readonly wroteLast: ReadonlyMap<DeviceId, number>
  /** The number of commits of this device that are not durable yet. */
  readonly pending: number
}

/**
 * Called when the log finds that a session forked at `seq`, and this device has already delivered commit `seq` or later commits of the session. These
 * commits have changed the entities `touched`.
 */
export type OnForked = (session: SessionId, seq: number, touched: ReadonlySet<EntityKey>) => void

/** The log of a space on this device: the session of this device and the sessions of other devices. */
export interface Log extends Replica {
  /**
   * The sessions whose last commits were missing in the store when the log was opened, each with the last sequence number that the witness of the
   * store recorded.
   */
  readonly lost: ReadonlyMap<SessionId, number>
  /** Calls {@link Replica.admitAll} with one run. If the run is rejected, `admit` rejects with the same error. */
  admit(run: Run): Promise<Admitted>
  /**
   * Returns the origin (the place and the time) of the next commit of this device. The first call of `next` opens a session in memory. If no commit
   * was made at the returned place, the next call returns the same place with a later time. Throws `closed`.
   */
  next(): Origin
  /**
   * Makes a commit at `origin`, which must be the latest result of {@link next}. The new commit depends on all commits that were delivered on this
   * device. Throws `too-large`, `closed`, `overloaded` if too many commits are not durable yet, or `store-failed` if the session of `origin` was
   * abandoned meanwhile. If `commit` throws, it changes nothing.
   */
  commit(origin: Origin, sections: readonly Section[], options: CommitOptions): Committed
  /**
   * Calls `callback` with commits of other devices, in causal order, synchronously after they became durable, until the returned function is called.
   */
  onDelivered(callback: (commits: readonly Commit[]) => void): () => void
  /**
   * Returns all commits after `from` that are delivered and durable at the time of the call, in causal order. The result includes commits of this
   * device. In a forked session, the result ends before the fork. Commits that are delivered after the call are passed to the callbacks of {@link
   * onDelivered}.
   */
  replay(from: Frontier): AsyncIterable<readonly Commit[]>
  /**
   * Calls `callback` when commits of this device could not be stored, until the returned function is called. The callback gets the ids of all commits
   * of this device that were not durable at the time of the failure, in the order in which they were made. These commits are no longer part of the
   * log. The next commit opens a new session that depends on the durable commits.
   */
  onFailure(callback: (error: PeerplaneError, rejected: readonly CommitId[]) => void): () => void
  /**
   * Calls `callback` when delivered commits no longer have an effect, because their device signed two versions of the session from `seq` on. The
   * commits at and after a fork have no effect on any replica that knows of the fork. If the caller has folded commits of the session from `seq` on,
   * it must fold the entities `touched` again, with the commits that {@link history} returns. If commits of this device may build on commits that no
   * longer have an effect, the caller must call {@link retire}. To stop the calls of `callback`, call the returned function. Forks that were found
   * before the log was opened are in {@link status}.
   */
  onForked(callback: OnForked): () => void
  /** Returns whether a commit has no effect because it comes after a fork that this device knows. */
  isVoid(dot: Dot): boolean
  /** Returns the entities that the stored commits `from` to `to` of a session change, including commits after a fork. */
  touched(session: SessionId, from: number, to: number): Promise<ReadonlySet<EntityKey>>
  /**
   * Returns all delivered and durable commits up to `to` that change one of the entities `keys`, except commits after a fork. Commits of the same
   * session come in the order of the session; commits of different sessions come in the order of their times. The history is returned in parts, some
   * of which may have no commits. Rejects with `store-corrupt`.
   */
  history(
    keys: ReadonlySet<EntityKey>,
    to: ReadonlyMap<SessionId, number>,
  ): AsyncIterable<HistoryPart>
  /** Returns the device that wrote a session of which this device holds a commit. */
  deviceOf(session: SessionId): DeviceId
  /** Returns the place of a session among the sessions of its device. Call it only for sessions that are delivered. */
  lineageOf(session: SessionId): Lineage
  /**
   * Whether the commits of a session may have an effect on this device. The commits of a session have no effect if its opening has extensions that
   * only a newer version of Peerplane knows. This device must hold a commit of the session.
   */
  isUnderstood(session: SessionId): boolean
  status(): LogStatus
  /** Ends the session of this device immediately. The next commit opens a new session. Resolves when the ended session is durable. */
  retire(): Promise<void>
  /**
   * Resolves when all commits of this device that are in the log at the time of the call are durable. Rejects with an error code of the store if one
   * of the commits is lost. `settled` does not wait for commits that are appended after the call.
   */
  settled(): Promise<void>
  /**
   * Prepares the log for a process that may end after the current task, such as a page that is being closed. After `hasten`, each new commit is first
   * written without a signature, in the same task that makes the commit. This unsigned copy is kept until the commit has been signed and stored as
   * usual. When the log is opened again, it signs and stores the commits of which only the unsigned copy exists.
   */
  hasten(): void
  /** Resolves when the log is neither storing nor checking commits. Under constant load, `idle` may never resolve. */
  idle(): Promise<void>
  /** Stores pending commits and closes the log. Later calls fail with `closed`. The store stays open. */
  close(): Promise<void>
}
