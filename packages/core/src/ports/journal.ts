import type { EntityKey, SessionId } from '../ids.ts'

/** The number of shards of every journal. Each entity is in one shard, which never changes. */
export const JOURNAL_SHARDS = 64

/** The right of a home to decide for a shard. A lease ends at its time, or when another home claims the shard. */
export interface Lease {
  readonly shard: number
  /** Grows with each claim of the shard. Together with `nonce`, it is the fencing token. */
  readonly token: number
  /** 16 random bytes: a journal that lost its latest claims gives out the same numbers again. */
  readonly nonce: Uint8Array
}

/** One event of an entity. The journal does not read the record. */
export interface JournalEvent {
  readonly entity: EntityKey
  /** 1, 2, 3 … in the entity, without a gap. */
  readonly number: number
  /** 1, 2, 3 … in the shard, without a gap. */
  readonly position: number
  readonly record: Uint8Array
}

/** The outcome of command `n` of an outbox. The journal does not read the record. */
export interface JournalOutcome {
  readonly outbox: SessionId
  readonly n: number
  readonly record: Uint8Array
}

/** The caller knows the outcomes of all commands of the outbox up to `n`. */
export interface JournalWatermark {
  readonly outbox: SessionId
  readonly n: number
}

/** The state of an entity after its event `number`. The journal does not read the record. */
export interface JournalSnapshot {
  readonly number: number
  readonly record: Uint8Array
}

/** What one append writes: everything or nothing. A group without rows only confirms that the lease still holds. */
export interface JournalGroup {
  readonly events: readonly JournalEvent[]
  readonly outcomes: readonly JournalOutcome[]
  /** At most one for each outbox. */
  readonly watermarks: readonly JournalWatermark[]
  /** At most one for each entity. */
  readonly snapshots: readonly (JournalSnapshot & { readonly entity: EntityKey })[]
}

/** The result of a claim. */
export type LeaseClaim =
  | { readonly outcome: 'claimed'; readonly lease: Lease }
  | { readonly outcome: 'held'; readonly holder: string }

/**
 * The result of an append.
 *
 * - `written`: the lease held, and everything is durable
 * - `fenced`: the lease no longer holds, and nothing was written
 * - `unknown`: nobody knows whether the group was written, until the shard is claimed again; it may also be written after this result, but not after
 *   a later claim
 */
export type Appended =
  | { readonly outcome: 'written' }
  | { readonly outcome: 'fenced' }
  | { readonly outcome: 'unknown'; readonly cause: unknown }

/** The result of a read under a lease: `fenced` if the lease is not the latest one that this read could see. */
export type UnderLease<T> =
  | { readonly outcome: 'read'; readonly value: T }
  | { readonly outcome: 'fenced' }

/** What a journal knows about one outbox in one shard. */
export interface JournalCaller {
  /** 0 if the caller never told one. */
  readonly watermark: number
  /** The outcomes above the watermark, in the order of `n`. */
  readonly outcomes: readonly JournalOutcome[]
}

/**
 * A journal: the database that holds the decisions about strong entities, for one or several homes.
 *
 * A journal guarantees that the events, outcomes and confirmations of a shard come from one lease at a time: after `claim` has resolved, no append
 * under an earlier lease of the shard takes effect. A read under a lease sees everything that was written before the claim of this lease, and
 * everything that was written under it before the read was called. Different shards do not affect each other.
 *
 * Failed calls reject with `store-failed`, `store-full`, `store-locked`, `store-corrupt`, `too-large` or `closed`. If `append` rejects, nothing was written. If `claim` rejects, the
 * shard may have been claimed; another claim by the same holder succeeds.
 */
export interface Journal {
  /** The id of the journal: 32 hex digits, made once with its tables. */
  readonly id: string
  /**
   * Takes the lease of a shard for `ms` milliseconds, if nobody holds it, its time has passed, or `holder` already holds it. Earlier leases of the
   * shard then no longer hold. `holder` names one process of one device, in at most 256 characters.
   */
  claim(shard: number, holder: string, ms: number): Promise<LeaseClaim>
  /** Lets the lease hold for `ms` milliseconds from now. Resolves with false if the lease no longer holds. */
  renew(lease: Lease, ms: number): Promise<boolean>
  /** Ends the lease, so that others can claim the shard immediately. */
  release(lease: Lease): Promise<void>
  /**
   * Writes a group if the lease holds. Among the waiting calls, there may be one append for each lease. Rejects with `store-failed` if a number of an
   * event, a position or an outcome exists already.
   */
  append(lease: Lease, group: JournalGroup): Promise<Appended>
  /** The position of the last event of the shard, or 0. */
  position(lease: Lease): Promise<UnderLease<number>>
  /** The snapshot of an entity, if there is one. */
  snapshot(lease: Lease, entity: EntityKey): Promise<UnderLease<JournalSnapshot | undefined>>
  /** The next events of an entity after `number`: at least one if there is one, and no more than fit into `limits.journalPageBytes`. */
  events(
    lease: Lease,
    entity: EntityKey,
    number: number,
  ): Promise<UnderLease<readonly JournalEvent[]>>
  /** The next events of the shard after `position`: at least one if there is one, and no more than fit into `limits.journalPageBytes`. */
  tail(lease: Lease, position: number): Promise<UnderLease<readonly JournalEvent[]>>
  /** The watermark and the outcomes of an outbox in the shard. */
  caller(lease: Lease, outbox: SessionId): Promise<UnderLease<JournalCaller>>
  /** Waits for pending calls and releases the journal. Leases are kept until their time. Calls after `close` reject with `closed`. */
  close(): Promise<void>
}
