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
  /** What goes wrong, in a few words. */
  readonly what: string
  readonly changes: readonly Change[]
}

/** A bug that is one change. */
export const sabotage = (
  name: string,
  what: string,
  file: string,
  find: string,
  replace: string,
): Sabotage => ({ name, what, changes: [{ file, find, replace }] })
