import { copyOf, free } from './automerge.ts'
import type { Default, Tree } from './defaults.ts'
import type { DocumentReplica } from './library.ts'
import { missingIn } from './missing.ts'

/**
 * A document as this device holds it, and as it is shown: with the missing places of the declared initial state. They become part
 * of it with the first change that is made here; until then every read looks for them again.
 */
export class ShownReplica {
  readonly #declared: readonly Default[]
  #held: DocumentReplica
  /** The same replica as `#held` where nothing is missing. */
  #shown: DocumentReplica | undefined
  #tree: Tree | undefined
  #isComplete = false
  /** What was held before the last change of this device, where that made something part of it. */
  #before: DocumentReplica | undefined

  constructor(held: DocumentReplica, declared: readonly Default[]) {
    this.#held = held
    this.#declared = declared
  }

  /** What bodies have brought. */
  get held(): DocumentReplica {
    return this.#held
  }

  /** What is shown, and what drafts change. */
  get replica(): DocumentReplica {
    return (this.#shown ??= this.#isComplete ? this.#held : this.#fill())
  }

  /** The shown replica with `actor` as the author of what is changed next. */
  writable(actor: string): DocumentReplica {
    this.#forget()
    const before = this.replica
    if (before.getActorId() === actor) return before
    const replica = copyOf(before, actor)
    if (before === this.#held) this.#held = replica
    this.#shown = replica
    free(before)
    return replica
  }

  /** A change was made to the shown replica: all of it is held now. Returns what became part of the document with it. */
  keep(): Tree | undefined {
    const shown = this.replica
    if (shown === this.#held) return undefined
    this.#before = this.#held
    this.#held = shown
    this.#shown = undefined
    return this.#tree
  }

  /** The last change was taken back, which has freed the shown replica and made another one without it. */
  revert(replica: DocumentReplica): void {
    const held = this.#before ?? (this.#shown === this.#held || !this.#shown ? replica : this.#held)
    if (held !== replica) free(replica)
    this.#before = undefined
    this.#held = held
    this.#shown = undefined
    this.#isComplete = false
  }

  /** `held` was replaced by another one and is freed if that is so. */
  replace(held: DocumentReplica): void {
    this.#forget()
    if (this.#shown && this.#shown !== this.#held) free(this.#shown)
    this.#held = held
    this.#shown = undefined
  }

  close(): void {
    this.#forget()
    if (this.#shown && this.#shown !== this.#held) free(this.#shown)
    free(this.#held)
  }

  #fill(): DocumentReplica {
    const { changes, tree, isComplete } = missingIn(this.#held, this.#declared)
    this.#isComplete = isComplete
    if (changes.length === 0) return this.#held
    const shown = copyOf(this.#held)
    shown.applyChanges([...changes])
    this.#tree = tree
    return shown
  }

  #forget(): void {
    if (this.#before) free(this.#before)
    this.#before = undefined
  }
}
