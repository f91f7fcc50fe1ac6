/** A change to the text of one product source; `find` stands in it exactly once. */
export interface Change {
  /** End of the path of the file. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

/** A known bug. */
export interface Sabotage {
  readonly name: string
  /** What goes wrong, in a sentence. */
  readonly what: string
  readonly changes: readonly Change[]
}

/** Bugs that the campaign must find by itself. */
export const sabotages: readonly Sabotage[] = []
