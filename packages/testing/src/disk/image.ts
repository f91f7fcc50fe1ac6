import type { Entry, Range, Write } from '@peerplane/core'

/** The contents of a disk: pairs in the byte order of their keys. */
export class DiskImage {
  readonly #values: Map<string, Uint8Array>
  #keys: string[]

  constructor(from?: DiskImage) {
    this.#values = new Map(from?.mapping)
    this.#keys = from ? [...from.keys] : []
  }

  get mapping(): ReadonlyMap<string, Uint8Array> {
    return this.#values
  }

  get keys(): readonly string[] {
    return this.#keys
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#values.get(keyText(key))?.slice()
  }

  /** Keeps the values as they are: nobody may change them afterwards. */
  apply(writes: readonly Write[]): void {
    for (const { key, value } of writes) {
      const text = keyText(key)
      if (value !== undefined) {
        if (!this.#values.has(text)) this.#keys.splice(lowerBound(this.#keys, text), 0, text)
        this.#values.set(text, value)
      } else if (this.#values.delete(text)) {
        this.#keys.splice(lowerBound(this.#keys, text), 1)
      }
    }
  }

  scan({ from, to, limit, reverse }: Range): Entry[] {
    const start = lowerBound(this.#keys, keyText(from))
    const end = Math.max(start, lowerBound(this.#keys, keyText(to)))
    let keys = this.#keys.slice(start, end)
    if (reverse) keys.reverse()
    if (limit !== undefined) keys = keys.slice(0, limit)
    return keys.map((text) => ({
      key: Uint8Array.from(text, (character) => character.charCodeAt(0)),
      value: this.#values.get(text)!.slice(),
    }))
  }
}

/** One character per byte: such texts compare like the bytes. */
function keyText(key: Uint8Array): string {
  let text = ''
  for (let i = 0; i < key.length; i++) text += CHARACTERS[key[i]!]!
  return text
}

const CHARACTERS = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code))

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
