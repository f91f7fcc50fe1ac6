import type { Origin } from '@peerplane/core'

import type { CommitTable, NamedCommit } from './commits.ts'

/** The application of one body, or of one draft as it grows: where its ops come from, and how to take them back. */
export class OpContext {
  readonly origin: Origin
  readonly table: CommitTable
  /** The commit that the ops are part of. */
  readonly commit: NamedCommit
  /** Size of the body; 0 while it grows. */
  readonly bodyBytes: number
  readonly #journal: (() => void)[] = []

  constructor(origin: Origin, table: CommitTable, commit: NamedCommit, bodyBytes = 0) {
    this.origin = origin
    this.table = table
    this.commit = commit
    this.bodyBytes = bodyBytes
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
