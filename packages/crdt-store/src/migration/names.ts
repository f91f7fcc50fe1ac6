/** The members of a document that are stored under other names. */
export class Names {
  readonly #stored: ReadonlyMap<string, string>
  readonly #shown: ReadonlyMap<string, string>

  constructor(names: readonly (readonly [name: string, stored: string])[]) {
    this.#stored = new Map(names)
    this.#shown = new Map(names.map(([name, stored]) => [stored, name]))
  }

  /** The stored name of a member. */
  storedAs<Key>(name: Key): Key | string {
    return this.#stored.get(name as string) ?? name
  }

  /** A path from the top of the document, as it is stored. */
  pathOf(path: unknown): unknown {
    if (!Array.isArray(path)) return path
    return path.map((step: unknown, i) => (i === 0 ? this.storedAs(step) : step))
  }

  /** The name of a stored member; `undefined` for one that the app does not show. */
  shownAs(stored: string): string | undefined {
    return this.#shown.get(stored) ?? (this.#stored.has(stored) ? undefined : stored)
  }
}
