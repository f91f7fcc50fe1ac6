/** The keys of a place that are shown, sorted. A change costs what it changes, and one copy of the list when somebody looks at it. */
export class ShownKeys<Key> {
  readonly #compare: (a: Key, b: Key) => number
  #shown: readonly Key[] = []
  /** Keys that may have come or gone since then. */
  #changed: Set<Key>

  constructor(compare: (a: Key, b: Key) => number, keys: Iterable<Key> = []) {
    this.#compare = compare
    this.#changed = new Set(keys)
  }

  /** Says that a key may have come or gone. */
  changed(key: Key): void {
    this.#changed.add(key)
  }

  /** All keys that `isShown`, which is asked only about those that changed. */
  list(isShown: (key: Key) => boolean): readonly Key[] {
    const changed = this.#changed
    if (changed.size === 0) return this.#shown
    const fresh = [...changed].filter(isShown).sort(this.#compare)
    const kept = this.#shown.filter((key) => !changed.has(key))
    this.#changed = new Set()
    this.#shown = this.#merged(kept, fresh)
    return this.#shown
  }

  #merged(kept: readonly Key[], fresh: readonly Key[]): readonly Key[] {
    if (kept.length === 0) return fresh
    const merged: Key[] = []
    let next = 0
    for (const key of fresh) {
      const place = this.#placeOf(key, kept, next)
      for (; next < place; next++) merged.push(kept[next]!)
      merged.push(key)
    }
    for (; next < kept.length; next++) merged.push(kept[next]!)
    return merged
  }

  /** Where `key` belongs in `kept`, at `from` or later. */
  #placeOf(key: Key, kept: readonly Key[], from: number): number {
    let low = from
    let high = kept.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#compare(kept[middle]!, key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}
