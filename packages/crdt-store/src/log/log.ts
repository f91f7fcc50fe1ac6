import { PeerplaneError } from '@peerplane/core'
import type {
  Admission,
  Commit,
  CommitId,
  Crypto,
  DeviceId,
  Frontier,
  HybridClock,
  Origin,
  Random,
  Replica,
  Section,
  SessionId,
  SigningKey,
  SpaceRecord,
  Store,
  StoreDurability,
  Write,
} from '@peerplane/core'

/** What a log works with. The store belongs to the caller, who closes it after the log. */
export interface LogOptions {
  readonly store: Store
  readonly space: SpaceRecord
  /** The key of this device. */
  readonly key: SigningKey
  /** From the creator of the space to this device; empty for the creator. */
  readonly chain: readonly Admission[]
  readonly crypto: Crypto
  readonly random: Random
  /** Observes the timestamps of everything delivered. */
  readonly clock: HybridClock
  /** Planted bugs, for campaigns that must find them. */
  readonly sabotage?: LogSabotage
}

/** Bugs that a test campaign plants to see itself fail. */
export interface LogSabotage {
  /** Delivers every commit at once, whether what it depends on was delivered or not. */
  readonly ignoreDependencies?: boolean
  /** Goes on in the last session of this device that the store holds, instead of opening a new one. */
  readonly resumeSession?: boolean
  /** Hides every n-th delivered commit from the listeners. */
  readonly dropEvery?: number
}

/** How a commit is to be made durable; `memory` does not wait for the store, which still gets it as `local`. */
export interface CommitOptions {
  readonly durability: 'memory' | StoreDurability
  /** Written in one piece with the commit: what must be durable exactly when the commit is. */
  readonly alsoWrite?: readonly Write[]
}

/** A commit that was just made: part of the log in memory. */
export interface Committed {
  readonly id: CommitId
  /** Resolves when the commit is as durable as was asked; rejects with a code of the store when its session had to be given up. */
  readonly durable: Promise<void>
}

/** A session of which no more is taken in. */
export interface Frozen {
  readonly session: SessionId
  readonly device: DeviceId
  /** The first place for which the device signed two different things. */
  readonly seq: number
}

/** Numbers for people and tests. */
export interface LogStatus {
  /** Stored commits that wait for a commit they depend on. */
  readonly waiting: { readonly commits: number; readonly bytes: number }
  readonly frozen: readonly Frozen[]
  /** Sessions whose next commit depends on another commit than the one held here at that place: somebody forked or lied. */
  readonly contradicted: readonly SessionId[]
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
   * All commits beyond `from` that are delivered and durable at the time of the call, own ones included, in causal order. What is delivered
   * later comes through {@link onDelivered}.
   */
  replay(from: Frontier): AsyncIterable<readonly Commit[]>
  /**
   * Calls back when own commits could not be stored: those not yet durable, here in their order, are no longer part of the log; the next
   * commit opens a new session upon what is durable. The returned function ends it.
   */
  onFailure(callback: (error: PeerplaneError, rejected: readonly CommitId[]) => void): () => void
  status(): LogStatus
  /** Resolves when nothing is being stored or checked. */
  idle(): Promise<void>
  /** Stores what is pending and refuses further work with `closed`. Leaves the store open. */
  close(): Promise<void>
}

/**
 * Opens the log that `store` holds, or an empty one. Reads a few small records per session, and the commits that still wait.
 * Throws `store-version` for a store of a newer version, `wrong-space` for one of another space, `store-corrupt`, or a code of the store.
 */
export async function openLog(_options: LogOptions): Promise<Log> {
  throw new PeerplaneError('unsupported', 'the log is being built')
}
