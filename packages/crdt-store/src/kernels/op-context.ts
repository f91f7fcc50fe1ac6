import { equalData, type Origin } from '@peerplane/core'

import { covers, type CommitTable, type NamedCommit } from './commits.ts'

/** What was shown of a part of a cell before its first change, and what is shown now. */
interface Seen {
  readonly before: unknown
  readonly look: () => unknown
}

/** An entry around the place that changes now. */
interface Around {
  readonly isPresent: () => boolean
  readonly outer: Around | undefined
}

/** The parts of a state that a draft has changed, to know in the end whether they look as they did before. */
class DraftEffects {
  readonly #cells = new Map<object, Seen>()
  readonly #parts = new Map<object, Map<unknown, Seen>>()
  #around: Around | undefined
  /** Whether one of them was not there when the draft began. */
  #isNew = false
  /** What entries hold that began in this draft. */
  readonly #begun = new Set<unknown>()

  /** Says that a cell is going to change. `look` gives what is shown of it. */
  changes(cell: object, look: () => unknown): void {
    if (!this.#cells.has(cell)) this.#cells.set(cell, this.#seen(look))
  }

  /** The same of a part of a cell. */
  changesPart(cell: object, part: unknown, look: () => unknown): void {
    let parts = this.#parts.get(cell)
    if (!parts) this.#parts.set(cell, (parts = new Map()))
    if (!parts.has(part)) parts.set(part, this.#seen(look))
  }

  /** An entry with this content begins. */
  begins(content: unknown): void {
    this.#begun.add(content)
  }

  /** Makes a change inside of an entry with this content. */
  inside<Result>(content: unknown, isPresent: () => boolean, change: () => Result): Result {
    const around = this.#around
    const isNew = this.#isNew
    this.#around = { isPresent, outer: around }
    this.#isNew ||= this.#begun.has(content)
    try {
      return change()
    } finally {
      this.#around = around
      this.#isNew = isNew
    }
  }

  /** Whether all of them look as they did before. */
  get areNone(): boolean {
    return areSame(this.#cells) && [...this.#parts.values()].every(areSame)
  }

  #seen(look: () => unknown): Seen {
    const around = this.#around
    // What is in an entry that is not present is not shown.
    const shown = (): unknown => (areAllPresent(around) ? look() : undefined)
    return { before: this.#isNew ? undefined : shown(), look: shown }
  }
}

function areAllPresent(around: Around | undefined): boolean {
  for (let each = around; each; each = each.outer) if (!each.isPresent()) return false
  return true
}

/** Whether all look as they did before. */
function areSame(seen: ReadonlyMap<unknown, Seen>): boolean {
  for (const { before, look } of seen.values()) if (!equalData(before, look())) return false
  return true
}

/** The application of one body, or of one draft as it grows: where its ops come from, and how to take them back. */
export class OpContext {
  readonly origin: Origin
  readonly table: CommitTable
  /** The commit that the ops are part of. */
  readonly commit: NamedCommit
  /** Size of the body; 0 while it grows. */
  readonly bodyBytes: number
  /** The number of the op in the commit's ops on the entity. What an op makes is named by it. */
  index = 0
  readonly #journal: (() => void)[] = []
  #draft: DraftEffects | undefined

  /** `isDraft` for a body that grows. */
  constructor(
    origin: Origin,
    table: CommitTable,
    commit: NamedCommit,
    { bodyBytes = 0, isDraft = false }: { bodyBytes?: number; isDraft?: boolean } = {},
  ) {
    this.#draft = isDraft ? new DraftEffects() : undefined
    this.origin = origin
    this.table = table
    this.commit = commit
    this.bodyBytes = bodyBytes
  }

  /** What a growing draft has changed; nothing of a body, so that folding does not look for it. */
  get draft(): DraftEffects | undefined {
    return this.#draft
  }

  /** The draft no longer grows. Returns whether it has changed anything that is shown. */
  finish(): boolean {
    const hasEffect = this.#draft?.areNone === false
    // Changes wait to be stored, and only what takes them back is kept meanwhile.
    this.#draft = undefined
    return hasEffect
  }

  /** Whether an op that is part of this supersedes the earlier op of a commit at its place without naming it. */
  covers(commit: NamedCommit): boolean {
    return covers(this.origin, commit)
  }

  /** Makes a change inside of an entry with this content. */
  inside<Result>(content: unknown, isPresent: () => boolean, change: () => Result): Result {
    return this.draft ? this.draft.inside(content, isPresent, change) : change()
  }

  /** Records how to take the change back that is made now. */
  undo(step: () => void): void {
    this.#journal.push(step)
  }

  /** A point to go back to. */
  mark(): number {
    return this.#journal.length
  }

  /** Takes back all changes since `mark`. */
  revert(mark: number): void {
    while (this.#journal.length > mark) this.#journal.pop()!()
  }
}
