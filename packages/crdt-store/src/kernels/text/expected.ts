import type { NamedCommit } from '../commits.ts'
import type { OpContext } from '../op-context.ts'

/** The name of a character: the commit that inserts it, and how many characters the commit inserts before it into the same text. */
export interface CharacterId {
  readonly commit: NamedCommit
  readonly offset: number
}

/** What waits for characters that have not come, by their names. */
export class Expected<T> {
  readonly #waiting = new Map<string, Map<number, T[]>>()
  size = 0
  /** It changes with what waits. */
  version = 0

  add({ commit, offset }: CharacterId, value: T, context: Pick<OpContext, 'undo'>): void {
    const { key } = commit
    let byOffset = this.#waiting.get(key)
    if (!byOffset) this.#waiting.set(key, (byOffset = new Map()))
    const values = byOffset.get(offset)
    if (values) values.push(value)
    else byOffset.set(offset, [value])
    this.size++
    this.version++
    context.undo(() => this.#takeBack(key, offset))
  }

  /** Takes what waits for characters of a commit from one offset to before another. */
  take(
    commit: NamedCommit,
    [from, until]: readonly [number, number],
    context: Pick<OpContext, 'undo'>,
  ): readonly T[] {
    const byOffset = this.size > 0 ? this.#waiting.get(commit.key) : undefined
    if (!byOffset) return []
    const { key } = commit
    const taken: T[] = []
    for (const offset of offsetsIn(byOffset, from, until)) {
      const values = byOffset.get(offset)
      if (!values) continue
      byOffset.delete(offset)
      this.size -= values.length
      this.version++
      for (const value of values) taken.push(value)
      context.undo(() => {
        this.#waiting.set(key, byOffset)
        byOffset.set(offset, values)
        this.size += values.length
        this.version++
      })
    }
    if (byOffset.size === 0) this.#waiting.delete(key)
    return taken
  }

  *values(): Iterable<T> {
    for (const byOffset of this.#waiting.values()) {
      for (const values of byOffset.values()) yield* values
    }
  }

  #takeBack(key: string, offset: number): void {
    const byOffset = this.#waiting.get(key)!
    const values = byOffset.get(offset)!
    values.pop()
    this.size--
    this.version++
    if (values.length > 0) return
    byOffset.delete(offset)
    if (byOffset.size === 0) this.#waiting.delete(key)
  }
}

function offsetsIn(
  byOffset: ReadonlyMap<number, unknown>,
  from: number,
  until: number,
): readonly number[] {
  if (until - from < byOffset.size) return Array.from({ length: until - from }, (_, i) => from + i)
  return [...byOffset.keys()].filter((offset) => offset >= from && offset < until)
}
