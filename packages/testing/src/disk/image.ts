import { compareBytes, type Entry, type KeyRange, type Write } from '@peerplane/core'

import { copyOf } from '../world/copies.ts'

/** The contents of a disk: pairs in the byte order of their keys. */
export class DiskImage {
  #entries: Entry[]

  constructor(from?: DiskImage) {
    this.#entries = from ? from.#entries.slice() : []
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const entry = this.#entries[this.#lowerBound(key)]
    return entry && compareBytes(entry.key, key) === 0 ? copyOf(entry.value) : undefined
  }

  /** Keeps keys and values as they are: nobody may change them afterwards. */
  apply(writes: readonly Write[]): void {
    for (const { key, value } of writes) {
      const at = this.#lowerBound(key)
      const found = this.#entries[at]
      const isThere = found !== undefined && compareBytes(found.key, key) === 0
      if (value === undefined) {
        if (isThere) this.#entries.splice(at, 1)
      } else if (isThere) this.#entries[at] = { key, value }
      else this.#entries.splice(at, 0, { key, value })
    }
  }

  scan({ from, to, limit, reverse }: KeyRange): Entry[] {
    const start = this.#lowerBound(from)
    const end = Math.max(start, this.#lowerBound(to))
    const entries = this.#entries.slice(start, end)
    if (reverse) entries.reverse()
    return entries
      .slice(0, limit)
      .map(({ key, value }) => ({ key: copyOf(key), value: copyOf(value) }))
  }

  /** Index of the first entry whose key is not before `key`. */
  #lowerBound(key: Uint8Array): number {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (compareBytes(this.#entries[middle]!.key, key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}
