/**
 * An op of another kind of state than its place has: the place was declared in another way where it was written. It is returned and not thrown,
 * because a body may have thousands of such ops, and throwing takes a hundred times as long.
 */
export class OtherKind {
  readonly written: string
  readonly declared: string
  /** Names of the fields and keys that lead to the place. */
  readonly path: readonly string[]

  constructor(written: string, declared: string, path: readonly string[] = []) {
    this.written = written
    this.declared = declared
    this.path = path
  }

  get message(): string {
    const place = this.path.length > 0 ? `"${this.path.join('.')}"` : 'it'
    return `${place} was written as a ${this.written} and is declared as a ${this.declared}`
  }
}

/** What is said of a place, for the place above it, where it is called `name`. */
export const below = (name: string, other: OtherKind | undefined): OtherKind | undefined =>
  other && new OtherKind(other.written, other.declared, [name, ...other.path])
