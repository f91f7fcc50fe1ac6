import type { Body } from '@peerplane/core'

import { applyRemote, tryOnCopy } from './apply.ts'
import { free } from './automerge.ts'
import { readChange } from './change-chunk.ts'
import type { AppliedChange, Intake, Pending } from './intake.ts'
import type { DocumentReplica } from './library.ts'
import { Replay } from './replay.ts'
import type { ShownReplica } from './shown-replica.ts'

/**
 * Applies what is pending, all at once or a part at a time. A part is some bodies, or some changes of a large one; until all changes of
 * that are applied, the replica without them is kept, because a body takes effect as a whole or not at all.
 *
 * Where that is less work, a change is not applied but repeated, see {@link Replay}; then a part may also be a part of a change.
 */
export class CatchUp {
  readonly #shown: ShownReplica
  readonly #intake: Intake
  /** The body that is applied in part, and the replica without it. */
  #begun: { readonly body: Pending; readonly before: DocumentReplica } | undefined
  /** Repeats the next change. No command comes between: it would see a document in which only some parts are done. */
  #replay: Replay | undefined
  /** A change that became another one when it was repeated. */
  #failed: AppliedChange | undefined

  constructor(shown: ShownReplica, intake: Intake) {
    this.#shown = shown
    this.#intake = intake
  }

  /** Applies a part. Returns the bodies that are void. */
  part(): Body[] {
    const { pending } = this.#intake
    let left = PART_WORK
    while (left > 0 && pending[0] && this.#isReplayed()) left = this.#replayNext(left)
    const [first] = pending
    if (!first || left < PART_WORK) return []
    // What comes with initial states cannot be repeated, but what follows it perhaps can.
    const work = first.defaults.length > 0 ? PART_WORK : applyWork(first)
    if (this.#begun || (first.work > work && first.changes.length > 1)) {
      return this.#applySome(first, work)
    }
    return this.#apply(countWithin(pending, work))
  }

  /** Applies all. Returns the bodies that are void. */
  all(): Body[] {
    const refused: Body[] = []
    const { pending } = this.#intake
    while (pending[0] && this.#isReplayed()) this.#replayNext(Infinity)
    if (pending.length === 0) return refused
    if (this.#begun) refused.push(...this.#applySome(pending[0]!, Infinity))
    if (this.#intake.pending.length > 0) {
      refused.push(...this.#apply(this.#intake.pending.length))
    }
    return refused
  }

  close(): void {
    this.#endReplay()
    this.#endBody()
  }

  /**
   * Whether the next change is repeated. It is so if all that would be applied with it can be, and if that is less work, or if applying would
   * take too long for one part.
   */
  #isReplayed(): boolean {
    if (this.#replay) return true
    const { pending } = this.#intake
    const [first] = pending
    if (!first || first.defaults.length > 0) return false
    const batch =
      this.#begun || first.changes.length > 1
        ? [first]
        : pending.slice(0, countWithin(pending, applyWork(first)))
    let heads: readonly string[] = this.#shown.held.getHeads()
    let [work, replayed] = [0, 0]
    for (const { changes, defaults, work: its } of batch) {
      work += its
      if (defaults.length > 0) return false
      for (const change of changes) {
        replayed += change.replayWork
        if (change === this.#failed || !isSame(change.deps, heads)) return false
        heads = [change.hash]
      }
    }
    const applied = first.largest / TEXT_SHARE + Math.max(work, APPLIED_SHARE * replayed)
    return first.largest > LARGE || replayed < applied
  }

  /** Repeats some of the next change; returns how much of the work is left. */
  #replayNext(work: number): number {
    const [body] = this.#intake.pending as [Pending]
    const [change] = body.changes as [AppliedChange]
    try {
      this.#replay ??= new Replay(this.#shown.held, readChange(change.bytes))
      const left = this.#replay.step(work)
      if (left < 0) return 0
      const replica = this.#replay.finish()
      this.#replay = undefined
      if (replica) this.#took(body, 1, replica)
      else this.#failed = change
      return left
    } catch {
      // Ignored: it is applied instead, which finds what is wrong with it.
      this.#endReplay()
      this.#failed = change
      return 0
    }
  }

  #apply(count: number): Body[] {
    const some = this.#intake.pending.slice(0, count)
    const { replica, refused, orphaned } = applyRemote(this.#shown.held, some)
    this.#shown.replace(replica)
    return this.#intake.settled(count, refused, orphaned)
  }

  /** Applies some changes of the first body. */
  #applySome(body: Pending, work: number): Body[] {
    const { changes } = body
    const count = Math.max(1, Math.floor((changes.length * work) / body.work))
    const part = { ...body, changes: changes.slice(0, count) }
    const next = tryOnCopy(this.#shown.held, [part])
    if (!next) return this.#refuse(body)
    this.#took(body, count, next)
    return []
  }

  /** `next` has so many changes of the first body more than what is held. */
  #took(body: Pending, count: number, next: DocumentReplica): void {
    if (this.#begun) free(this.#shown.held)
    else this.#begun = { body, before: this.#shown.held }
    this.#shown.replace(next)
    const { changes } = body
    const rest = changes.slice(count)
    if (rest.length === 0) {
      this.#endBody()
      this.#intake.settled(1, [], [])
      return
    }
    const left = (body.work * rest.length) / changes.length
    this.#intake.pending[0] = { ...body, changes: rest, defaults: [], work: left }
  }

  /** Takes the changes back that were applied, and finds what is wrong with the body. */
  #refuse(body: Pending): Body[] {
    if (this.#begun) {
      free(this.#shown.held)
      this.#shown.replace(this.#begun.before)
    }
    this.#intake.pending[0] = this.#begun?.body ?? body
    this.#begun = undefined
    return this.#apply(1)
  }

  #endBody(): void {
    if (this.#begun) free(this.#begun.before)
    this.#begun = undefined
  }

  #endReplay(): void {
    this.#replay?.close()
    this.#replay = undefined
  }
}

/** How many bodies make a part of so much work. */
function countWithin(pending: readonly Pending[], work: number): number {
  let count = 1
  let sum = pending[0]!.work
  while (count < pending.length && sum + pending[count]!.work <= work) sum += pending[count++]!.work
  return count
}

/** How much is applied in one part. Each part takes time for all that stands in the texts that it changes. In a large text many small ones would take too much. */
const applyWork = ({ largest }: Pending): number => (largest > LARGE ? largest / 8 : PART_WORK)

const isSame = (deps: readonly string[], heads: readonly string[]): boolean =>
  deps.length === heads.length && deps.every((dep) => heads.includes(dep))

/** Automerge applies so many operations in about 10 ms. */
const PART_WORK = 8_192
/** In a text of so many operations a part takes at least 40 ms. From there on, an eighth of the text takes less than twice as long. */
const LARGE = 200_000
/** To apply deletions is so much of the work of repeating them. */
const APPLIED_SHARE = 0.6
/** So many operations in a text make as much work as one that is applied to it. */
const TEXT_SHARE = 5
