import type {
  Admission,
  Admitted,
  Commit,
  CommitId,
  Crypto,
  DeviceId,
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

/** How to make a commit durable; `memory` does not wait for the store, which still gets it as `local`. */
export interface CommitOptions {
  readonly durability: 'memory' | StoreDurability
  /** Writes that are stored atomically with the commit. */
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
  /** Sessions whose next commit depends on a commit that differs from the one held here at that place: a device forked its session, or lied. */
  readonly contradicted: readonly SessionId[]
  /** Sessions whose next commit is not delivered because what it depends on cannot be read; it is read again with each delivery. */
  readonly unreadable: readonly SessionId[]
  /** When each device made its last commit that is delivered, in milliseconds since 1970 by its own clock. */
  readonly wroteLast: ReadonlyMap<DeviceId, number>
  /** Own commits that are not durable yet. */
  readonly pending: number
}

/** The log of a space on this device: its own session, and what came from others. */
export interface Log extends Replica {
  /** The sessions of which the witness of the store knows more commits than were found when the log was opened, and how many. */
  readonly lost: ReadonlyMap<SessionId, number>
  /** {@link Replica.admitAll} of one run. Rejects with what it is rejected with. */
  admit(run: Run): Promise<Admitted>
  /**
   * The place of the commit that would be made now. The first call opens the session, in memory. A place that is not used is returned again,
   * with a later time. Throws `closed`.
   */
  next(): Origin
  /**
   * Makes a commit at `origin`, the latest result of {@link next}: it depends on everything delivered here.
   * Throws, with nothing changed: `too-large`; `overloaded` with too many commits not yet durable; `store-failed` when the session of
   * `origin` was given up meanwhile; `closed`.
   */
  commit(origin: Origin, sections: readonly Section[], options: CommitOptions): Committed
  /** Calls back with commits of other devices in causal order, synchronously after they became durable. The returned function ends it. */
  onDelivered(callback: (commits: readonly Commit[]) => void): () => void
  /**
   * All commits beyond `from` that are delivered and durable at the time of the call, own ones included, in causal order; none from a fork
   * on. What is delivered later comes through {@link onDelivered}.
   */
  replay(from: Frontier): AsyncIterable<readonly Commit[]>
  /**
   * Calls back when commits of this device could not be stored: those not yet durable, here in their order, are no longer part of the log; the next
   * commit opens a new session on top of what is durable. The returned function ends it.
   */
  onFailure(callback: (error: PeerplaneError, rejected: readonly CommitId[]) => void): () => void
  /**
   * Calls back when delivered commits no longer have an effect: their device signed two versions of their session from `seq` on,
   * and they have no effect on any replica that knows of the fork. A caller that has folded commits begins again from {@link replay}, when
   * own ones are {@link settled}: those made from now on belong to another session. The returned function ends it. After opening, {@link
   * status} counts the forks that were found before.
   */
  onForked(callback: (session: SessionId, seq: number) => void): () => void
  /** The author of a session of which a commit is held. */
  deviceOf(session: SessionId): DeviceId
  /** Whether the commits of a session of which one is held may have an effect here: its opening has nothing that only a newer version knows. */
  isUnderstood(session: SessionId): boolean
  status(): LogStatus
  /** Ends this device's session at once; the next commit opens another one. Resolves when it is durable. */
  retire(): Promise<void>
  /**
   * Resolves when every commit of this device that is in the log at the time of the call is durable; rejects with a code of the store when these commits are
   * given up. It does not wait for commits that are appended later.
   */
  settled(): Promise<void>
  /**
   * The process may end with this task. From now on commits are kept unsigned as soon as they are made, by a write that begins in the same
   * task, until they are stored in the usual way; the next opening of the log signs those that were not stored.
   */
  hasten(): void
  /** Resolves when nothing is being stored or checked: under constant load perhaps never. */
  idle(): Promise<void>
  /** Stores what is pending and refuses further work with `closed`. Leaves the store open. */
  close(): Promise<void>
}
