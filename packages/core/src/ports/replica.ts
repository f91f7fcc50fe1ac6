import type { DeviceId, SessionId } from '../ids.ts'
import type { Batch } from '../log/batch.ts'
import type { Frontier } from '../log/frontier.ts'
import type { Dot } from '../log/commit.ts'
import type { TipTrie } from '../log/tip-trie.ts'

/** An opening record with the admissions that make its device a member: what a receiver needs before the first batch of a session. */
export interface OpeningEvidence {
  readonly bytes: Uint8Array
  /** Canonical admissions, from the creator of the space to the device; empty for the creator. */
  readonly chain: readonly Uint8Array[]
}

/** Consecutive batches of one session, the last of which is signed or followed by the proof of a fork: the unit of transfer. */
export interface Run {
  readonly session: SessionId
  /** Seq of the first commit. */
  readonly from: number
  /** Present when `from` is 1. */
  readonly opening: OpeningEvidence | undefined
  /** Canonical batches; at most `limits.runBytes` together, or one batch. Empty only if there is a proof. */
  readonly batches: readonly Uint8Array[]
  /** Canonical proof that the session has two versions from the end of the batches on; it replaces their signature. */
  readonly fork?: Uint8Array
}

/** The outcome of admitting a run. */
export interface Admitted {
  /** Commits that are new here and durable now. */
  readonly stored: number
  /** Of the commits delivered because of this run, or of those taken with it, how many had waited for a dependency. */
  readonly released: number
  /** What the first batch of the run that cannot be delivered waits for, as far as it is not held: the peer that sent the run holds it. */
  readonly awaits: readonly Dot[]
  /** Whether what has to wait was not stored, because there is no room for it. */
  readonly full: boolean
  /** The device whose session the run has shown to be forked, if that was not known. */
  readonly forkedBy?: DeviceId
}

/** What sync needs of the log of a space: to compare, read and admit. */
export interface Replica {
  /**
   * Delivered and durable commits; on a batch boundary in every session. A session known to be forked is listed with its forked tip once all
   * of it before the fork is delivered. It changes with the log.
   */
  readonly tips: TipTrie
  /** The same by session. It changes with the log. */
  delivered(): Frontier
  /** Durable commits, delivered or not: what a device does not ask for again. It changes with the log. */
  stored(): Frontier
  /**
   * The run that starts at the batch holding commit `from`, or at the fork before it, of about `maxBytes` at most (one batch at least), of
   * delivered commits, ending with a signed batch or a proof; `undefined` if nothing from there on is delivered.
   */
  range(session: SessionId, from: number, maxBytes: number): Promise<Run | undefined>
  /**
   * Checks runs of different sessions, stores what is new of them, in one write if all of it can be delivered, and delivers what has become
   * deliverable. Resolves when it is durable, with the outcome of each run; one that is refused has no effect on the others.
   * If a run would have to wait and there is no room, only what can be delivered is stored. A run that proves a fork is accepted as the
   * proof: the session is then listed with its forked tip, and its commits from the fork on are ignored. A run is rejected with `malformed`,
   * `too-large`, `wrong-space`, `not-a-member`, `bad-signature`, `broken-chain`, or a code of the store; then no part of it was
   * stored. `broken-chain`: the run does not continue what is held, because of a gap or because sender and receiver hold different
   * versions of the session. It is no evidence against the sender. Asking for the same session from commit 1 shows which of them it is.
   * Rejects with `overloaded` if too many calls wait already, or `closed`.
   */
  admitAll(runs: readonly Run[]): Promise<readonly PromiseSettledResult<Admitted>[]>
  /** Calls back after each change of `stored` or `delivered`, with the batch if it was written here. The returned function ends it. */
  watch(callback: (own: Batch | undefined) => void): () => void
}
