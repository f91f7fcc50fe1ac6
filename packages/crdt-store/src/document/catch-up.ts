import type { Body } from '@peerplane/core'

import { applyRemote, tryOnCopy } from './apply.ts'
import { free } from './automerge.ts'
import type { Intake, Pending } from './intake.ts'
import type { DocumentReplica } from './library.ts'
import type { ShownReplica } from './shown-replica.ts'

/**
 * Applies what is pending, all at once or a part at a time. A part is some bodies, or some changes of a large one; until all changes of
 * that are applied, the replica without them is kept, because a body takes effect as a whole or not at all.
 */
export class CatchUp {
  readonly #shown: ShownReplica
  readonly #intake: Intake
  /** The body that is applied in part, and the replica without it. */
  #begun: { readonly body: Pending; readonly before: DocumentReplica } | undefined

  constructor(shown: ShownReplica, intake: Intake) {
    this.#shown = shown
    this.#intake = intake
  }

  /** Applies a part. Returns the bodies that are void. */
  part(): Body[] {
    const { pending } = this.#intake
    const [first] = pending
    if (!first) return []
    // Each part takes time for all that stands in the texts that it changes. In a large text many small ones would take too much.
    const work = first.largest > LARGE ? first.largest / 8 : PART_WORK
    if (this.#begun || (first.work > work && first.changes.length > 1)) {
      return this.#applySome(first, work)
    }
    let count = 1
    let sum = first.work
    while (count < pending.length && sum + pending[count]!.work <= work)
      sum += pending[count++]!.work
    return this.#apply(count)
  }

  /** Applies all. Returns the bodies that are void. */
  all(): Body[] {
    const refused: Body[] = []
    if (this.#begun) refused.push(...this.#applySome(this.#intake.pending[0]!, Infinity))
    if (this.#intake.pending.length > 0) {
      refused.push(...this.#apply(this.#intake.pending.length))
    }
    return refused
  }

  close(): void {
    if (this.#begun) free(this.#begun.before)
    this.#begun = undefined
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
    if (this.#begun) free(this.#shown.held)
    else this.#begun = { body, before: this.#shown.held }
    this.#shown.replace(next)
    const rest = changes.slice(count)
    if (rest.length === 0) {
      this.close()
      return this.#intake.settled(1, [], [])
    }
    const left = (body.work * rest.length) / changes.length
    this.#intake.pending[0] = { ...body, changes: rest, defaults: [], work: left }
    return []
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
}

/** Automerge applies so many operations in about 10 ms. */
const PART_WORK = 8_192
/** In a text of so many operations a part takes at least 40 ms. From there on, an eighth of the text takes less than twice as long. */
const LARGE = 200_000
