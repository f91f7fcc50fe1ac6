import type { DeviceId, SessionId } from '../ids.ts'
import type { Batch } from '../log/batch.ts'
import type { Frontier } from '../log/frontier.ts'
import type { Dot } from '../log/commit.ts'
import type { TipTrie } from '../log/tip-trie.ts'

/** An opening, with the admissions that prove that its device is a member. A receiver needs this evidence before the first batch of a session. */
export interface OpeningEvidence {
  readonly bytes: Uint8Array
  /** Canonical bytes of the admissions from the creator of the space to the device. The admission chain of the creator is empty. */
  readonly chain: readonly Uint8Array[]
}

/** Consecutive batches of one session: the unit of transfer. The last batch is signed, or the proof of a fork follows it. */
export interface Run {
  readonly session: SessionId
  /** The seq of the first commit. */
  readonly from: number
  /** Present if and only if `from` is 1. */
  readonly opening: OpeningEvidence | undefined
  /**
   * Canonical bytes of the batches. If there are several batches, they have at most `limits.runBytes` together. The list is empty only if the run has
   * a proof of a fork.
   */
  readonly batches: readonly Uint8Array[]
  /** Canonical bytes of the proof that the session has two versions after these batches. The proof replaces the signature of the last batch. */
  readonly fork?: Uint8Array
}

/** The result of `admitAll` for one run. */
export interface Admitted {
  /** The number of new commits, which are now durable on this device. */
  readonly stored: number
  /** The number of commits that had waited for a dependency and are now delivered because of this run or a run admitted with it. */
  readonly released: number
  /** The missing commits that the first undelivered batch of the run depends on. The peer that sent the run holds these commits. */
  readonly awaits: readonly Dot[]
  /** Whether batches that would have to wait were not stored, because the limit for waiting commits is reached. */
  readonly full: boolean
  /** The device of the session, if this run proves a fork that was not known before. */
  readonly forkedBy?: DeviceId
}

/** The functions of the log that sync needs: to compare, read and admit commits of a space. */
export interface Replica {
  /**
   * The tips of all delivered and durable commits. Each tip is the end of a batch. A session known to be forked has its forked tip once all commits
   * before the fork are delivered. This trie changes with the log.
   */
  readonly tips: TipTrie
  /** Returns the tips of all delivered and durable commits, by session. This map changes with the log. */
  delivered(): Frontier
  /** Returns the tips of all durable commits, delivered or not. A device does not request these commits again. This map changes with the log. */
  stored(): Frontier
  /**
   * Reads a run of delivered commits that starts with the batch of commit `from`, or at the fork before this commit. The run has at least one batch
   * and about `maxBytes` at most, and ends with a signed batch or a proof. Resolves with `undefined` if no commit from there on is delivered.
   */
  range(session: SessionId, from: number, maxBytes: number): Promise<Run | undefined>
  /**
   * Checks runs of different sessions, stores their new commits, and delivers all commits that can be delivered. If all new commits can be delivered,
   * they are stored in one write. Resolves with one outcome per run, when the commits of all accepted runs are durable. A refused run has no effect on the other runs.
   * If the limit for waiting commits is reached, only commits that can be delivered are stored. A run that proves a fork is accepted as the proof:
   * from then on the session has its forked tip, and its commits from the fork on are ignored. A run is rejected with `malformed`, `too-large`,
   * `wrong-space`, `not-a-member`, `bad-signature`, `broken-chain`, or a code of the store. No part of a rejected run is stored. `broken-chain` means
   * that the run does not continue the commits held here: either there is a gap, or sender and receiver hold different versions of the session.
   * `broken-chain` does not prove a fault of the sender. A request for the session from commit 1 on shows which of these two reasons applies. The
   * call rejects with `overloaded` if too many calls are waiting, or with `closed`.
   */
  admitAll(runs: readonly Run[]): Promise<readonly PromiseSettledResult<Admitted>[]>
  /**
   * Calls `callback` after each change of `stored` or `delivered`. The argument of `callback` is the new batch if this device has written it. The
   * returned function ends the watch.
   */
  watch(callback: (own: Batch | undefined) => void): () => void
}
