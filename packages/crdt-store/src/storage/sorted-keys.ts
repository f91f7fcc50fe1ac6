/** Keys of one block; a block of twice this size is cut in two. */
const BLOCK = 256

/** A sorted set of strings: blocks of sorted keys, found by binary search, so that an insertion moves a few hundred keys at most. */
export class SortedKeys {
  readonly #blocks: string[][] = [[]]

  /** Adds a key that is not in the set. */
  add(key: string): void {
    const at = this.#blockOf(key)
    const block = this.#blocks[at]!
    block.splice(lowerBound(block, key), 0, key)
    if (block.length >= 2 * BLOCK) this.#blocks.splice(at + 1, 0, block.splice(BLOCK))
  }

  /** Removes a key that is in the set. */
  delete(key: string): void {
    const at = this.#blockOf(key)
    const block = this.#blocks[at]!
    block.splice(lowerBound(block, key), 1)
    if (block.length === 0 && this.#blocks.length > 1) this.#blocks.splice(at, 1)
  }

  /** The keys with `from <= key < to`, ascending or descending, at most `limit`. */
  range(from: string, to: string, limit: number, reverse: boolean): string[] {
    const found: string[] = []
    if (from >= to) return found
    const step = reverse ? -1 : 1
    for (let at = this.#blockOf(reverse ? to : from); ; at += step) {
      const block = this.#blocks[at]
      if (!block) return found
      const start = lowerBound(block, from)
      const keys = block.slice(start, lowerBound(block, to))
      if (reverse) keys.reverse()
      for (const key of keys) {
        if (found.length >= limit) return found
        found.push(key)
      }
      const beyond = reverse ? block[0]! < from : block.at(-1)! >= to
      if (beyond) return found
    }
  }

  /** Index of the block that holds `key` or would: the last one that begins at or before it. */
  #blockOf(key: string): number {
    let low = 0
    let high = this.#blocks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#blocks[middle]![0]! <= key) low = middle
      else high = middle - 1
    }
    return low
  }
}

/** Index of the first key that is not below `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (keys[middle]! < key) low = middle + 1
    else high = middle
  }
  return low
}
