import type { DeviceId, SessionId } from '../ids.ts'
import type { Batch } from '../log/batch.ts'
import type { Frontier } from '../log/frontier.ts'
import type { Dot } from '../log/commit.ts'
import type { TipTrie } from '../log/tip-trie.ts'

/**
 * The opening of a session, with the admissions that prove that the device of the session is a member. A receiver needs the opening and the
 * admissions before it can check the first batch of a session.
 */
export interface OpeningEvidence {
  readonly bytes: Uint8Array
  /**
   * The canonical bytes of the chain of admissions that leads from the creator of the space to the device. The admission chain of the creator is
   * empty.
   */
  readonly chain: readonly Uint8Array[]
}

/**
 * A run: consecutive batches of one session, which are transferred together. The last batch of a run is signed, or the proof of a fork follows it.
 */
export interface Run {
  readonly session: SessionId
  /** The sequence number of the first commit in the run. */
  readonly from: number
  /** The opening of the session is present if and only if `from` is 1. */
  readonly opening: OpeningEvidence | undefined
  /**
   * Canonical bytes of the batches. If a run has several batches, they have at most `limits.runBytes` together. The list of batches is empty only if
   * the run contains the proof of a fork.
   */
  readonly batches: readonly Uint8Array[]
  /**
   * Canonical bytes of the proof that the session has two versions after the batches of the run. A run that ends with the proof of a fork needs no
   * signature of its last batch, because the proof contains signatures that cover this batch.
   */
  readonly fork?: Uint8Array
}

/** The result of `admitAll` for one run. */
export interface Admitted {
  /** The number of new commits, which are now durable on this device. */
  readonly stored: number
  /**
   * The number of commits that had waited for a dependency and are now delivered, because this run or another run of the same call contained the
   * dependency.
   */
  readonly released: number
  /**
   * The commits that are missing on this device and on which the first undelivered batch of the run depends. The peer that sent the run holds these
   * commits.
   */
  readonly awaits: readonly Dot[]
  /**
   * True if the run contains batches that would have to wait for a dependency, and these batches were not stored because the limit for waiting
   * commits is reached.
   */
  readonly full: boolean
  /** The device of the session, if this run proves a fork that was not known before. */
  readonly forkedBy?: DeviceId
}

/** The port through which sync uses the log of a space: functions to compare, read and admit commits. */
export interface Replica {
  /**
   * The tip of each session: its last commit that is delivered and durable. Each tip is the last commit of a batch. The tip of a forked session is
   * its `forkedTip` as soon as all commits before the fork are delivered. The trie of tips changes whenever the log changes.
   */
  readonly tips: TipTrie
  /** Returns the tip of each session: its last commit that is delivered and durable. The returned map changes whenever the log changes. */
  delivered(): Frontier
  /**
   * Returns the last durable commit of each session, delivered or not. A device does not request again the commits that it has stored. The returned
   * map changes whenever the log changes.
   */
  stored(): Frontier
  /**
   * Reads a run of delivered commits. The run starts with the batch that contains commit `from`, or with a fork before this commit. The run contains
   * at least one batch or the proof of a fork, and more batches only up to a total size of about `maxBytes`. The run ends with a signed batch or with
   * the proof of a fork. Resolves with `undefined` if commit `from` is not delivered, unless this device knows a fork of the session before commit
   * `from`.
   */
  range(session: SessionId, from: number, maxBytes: number): Promise<Run | undefined>
  /**
   * Checks runs of different sessions, stores their new commits, and delivers all commits that can be delivered. If all new commits can be delivered,
   * they are stored in one write. Resolves with one result for each run, when the commits of all accepted runs are durable. A rejected run has no
   * effect on the other runs. If the limit for waiting commits is reached, only commits that can be delivered are stored. After a run has proved a
   * fork, the tip of the session is its `forkedTip`, and the commits of the session at and after the fork are ignored. A run is rejected with
   * `malformed`, `too-large`, `wrong-space`, `not-a-member`, `bad-signature`, `broken-chain`, or an error code of the store. No part of a rejected
   * run is stored. `broken-chain` means that the run does not continue the commits that this device holds: either there is a gap, or sender and
   * receiver hold different versions of the session. `broken-chain` does not prove a fault of the sender. After `broken-chain`, a request for the
   * session from commit 1 on shows whether there is a gap or a different version. The whole call rejects with `overloaded` if too many calls are
   * waiting, or with `closed` if the log is closed.
   */
  admitAll(runs: readonly Run[]): Promise<readonly PromiseSettledResult<Admitted>[]>
  /**
   * Calls `callback` after each change of the stored or delivered commits. If this device has written a new batch, `callback` gets this batch. The
   * returned function ends the calls of `callback`.
   */
  watch(callback: (own: Batch | undefined) => void): () => void
}
