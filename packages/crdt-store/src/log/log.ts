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
 * The parts that a log uses. The store belongs to the caller, who closes it after the log. The caller stores the `spaceWrite` of the space before the
 * first commit, or together with it.
 */
export interface LogOptions {
  readonly store: Store
  readonly space: SpaceRecord
  /** The key of this device. */
  readonly key: SigningKey
  /** The admissions from the creator of the space to this device. The admission chain of the creator is empty. */
  readonly chain: readonly Admission[]
  readonly crypto: Crypto
  readonly random: Random
  readonly perturb?: Perturb | undefined
  readonly trace?: Trace | undefined
  /** The clock that observes the timestamps of all delivered commits. */
  readonly clock: HybridClock
}

/** How to make a commit durable. With `memory`, the commit does not wait for the store, which still writes it as `local`. */
export interface CommitOptions {
  readonly durability: 'memory' | StoreDurability
  /** Writes that are stored atomically with the commit. */
  readonly alsoWrite?: (commit: CommitId) => readonly Write[]
}

/** A new commit, which is part of the log in memory. */
export interface Committed {
  readonly id: CommitId
  /** Resolves when the commit has the requested durability. Rejects with a code of the store if the session of the commit had to be abandoned. */
  readonly durable: Promise<void>
}

/** The status of a log, for people and tests. */
export interface LogStatus {
  /** The number of delivered and durable commits. */
  readonly commits: number
  /** Stored commits that wait for a commit that they depend on. */
  readonly waiting: { readonly commits: number; readonly bytes: number }
  readonly frozen: readonly Frozen[]
  /**
   * Sessions whose next commit depends on a different version of a commit that this device holds. In such a case, a device forked its session, or
   * lied.
   */
  readonly contradicted: readonly SessionId[]
  /**
   * Sessions whose next commit is not delivered, because the store cannot read one of its dependencies. The store tries again at each delivery.
   */
  readonly unreadable: readonly SessionId[]
  /** The time of the last delivered commit of each device, in milliseconds since 1970 on the clock of that device. */
  readonly wroteLast: ReadonlyMap<DeviceId, number>
  /** The number of commits of this device that are not durable yet. */
  readonly pending: number
}

/**
 * Called when a fork of a session at `seq` is found after commits from `seq` on were delivered. These commits have changed the `touched` entities.
 */
export type OnForked = (session: SessionId, seq: number, touched: ReadonlySet<EntityKey>) => void

/** The log of a space on this device: the session of this device and the sessions of other devices. */
export interface Log extends Replica {
  /** The sessions whose last commits were lost when the log was opened, each with the last seq that the witness of the store knows. */
  readonly lost: ReadonlyMap<SessionId, number>
  /** Calls {@link Replica.admitAll} with one run. If the run is rejected, rejects with the same error. */
  admit(run: Run): Promise<Admitted>
  /**
   * Returns the origin of the next commit of this device. The first call opens the session in memory. If no commit was made at the returned place,
   * the next call returns the same place with a later time. Throws `closed`.
   */
  next(): Origin
  /**
   * Makes a commit at `origin`, which must be the latest result of {@link next}. The commit depends on all commits delivered here. Throws
   * `too-large`, `closed`, `overloaded` if too many commits are not durable yet, or `store-failed` if the session of `origin` was abandoned
   * meanwhile. A call that throws changes nothing.
   */
  commit(origin: Origin, sections: readonly Section[], options: CommitOptions): Committed
  /**
   * Calls `callback` with commits of other devices, in causal order, synchronously after they became durable. The returned function ends the watch.
   */
  onDelivered(callback: (commits: readonly Commit[]) => void): () => void
  /**
   * Returns all commits beyond `from` that are delivered and durable at the time of the call, in causal order. The commits of this device are
   * included; commits from a fork on are not. Commits that are delivered later go to {@link onDelivered}.
   */
  replay(from: Frontier): AsyncIterable<readonly Commit[]>
  /**
   * Calls `callback` when commits of this device could not be stored. The callback gets the ids of all commits that were not durable yet, in their
   * order. These commits are no longer part of the log. The next commit opens a new session that depends on the durable commits. The returned
   * function ends the watch.
   */
  onFailure(callback: (error: PeerplaneError, rejected: readonly CommitId[]) => void): () => void
  /**
   * Calls `callback` when delivered commits no longer have an effect, because their device signed two versions of the session from `seq` on. Such
   * commits have no effect on any replica that knows of the fork. A caller that has folded such commits folds the `touched` entities again, from
   * {@link history}. New commits of this device belong to a new session. The returned function ends the watch. After opening, {@link status} names
   * the forks that were found before.
   */
  onForked(callback: OnForked): () => void
  /** Returns whether a commit has no effect because it comes after a fork that this device knows. */
  isVoid(dot: Dot): boolean
  /** Returns the entities that the stored commits `from` to `to` of a session change. Commits after a fork are included. */
  touched(session: SessionId, from: number, to: number): Promise<ReadonlySet<EntityKey>>
  /**
   * Returns all delivered and durable commits up to `to` that change one of the entities `keys`, except commits after a fork. Commits of the same
   * session come in the order of the session; commits of different sessions come in the order of their times. The result comes in parts; a part may
   * have no commits. Rejects with `store-corrupt`.
   */
  history(
    keys: ReadonlySet<EntityKey>,
    to: ReadonlyMap<SessionId, number>,
  ): AsyncIterable<HistoryPart>
  /** Returns the author of a session of which this device holds a commit. */
  deviceOf(session: SessionId): DeviceId
  /**
   * Whether the commits of a session may have an effect on this device. The commits have no effect if the opening of the session has extensions that
   * only a newer version knows. This device must hold a commit of the session.
   */
  isUnderstood(session: SessionId): boolean
  status(): LogStatus
  /** Ends the session of this device immediately. The next commit opens a new session. Resolves when the ended session is durable. */
  retire(): Promise<void>
  /**
   * Resolves when all commits of this device that are in the log at the time of the call are durable. Rejects with a code of the store if these
   * commits are lost. Does not wait for commits that are appended later.
   */
  settled(): Promise<void>
  /**
   * Prepares for a process that may end after the current task. From now on, each new commit is first kept unsigned, by a write that begins in the
   * same task, until it is stored in the usual way. The next opening of the log signs the kept commits that were not stored.
   */
  hasten(): void
  /** Resolves when the log is not storing or checking anything. Under constant load, `idle` may never resolve. */
  idle(): Promise<void>
  /** Stores pending commits and closes the log. Later calls fail with `closed`. The store stays open. */
  close(): Promise<void>
}
