import { hash, utf8, type Random } from '@peerplane/core'

/**
 * A stream of pseudo-random numbers (the algorithm sfc32 from PractRand by Chris Doty-Humphrey). Equal seeds give equal streams on every platform.
 */
export class SimRandom implements Random {
  readonly #name: string
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(name: string) {
    this.#name = name
    const words = new DataView(hash('random-stream', utf8(name)).buffer)
    this.#a = words.getInt32(0)
    this.#b = words.getInt32(4)
    this.#c = words.getInt32(8)
  }

  /** Returns a separate stream for one purpose. Drawing from this stream does not change any other stream. */
  stream(purpose: string): SimRandom {
    return new SimRandom(`${this.#name}/${purpose}`)
  }

  /** Returns 32 random bits as an unsigned number. */
  bits(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** Returns a number of at least 0 and below 1. */
  unit(): number {
    return this.bits() / 0x1_0000_0000
  }

  /** Returns a number of at least `low` and below `high`. */
  between(low: number, high: number): number {
    return low + this.unit() * (high - low)
  }

  /** Returns a whole number of at least 0 and below `count`. */
  below(count: number): number {
    return Math.floor(this.unit() * count)
  }

  /** Returns true with this probability. */
  chance(probability: number): boolean {
    return this.unit() < probability
  }

  /** Returns an exponentially distributed duration: most durations are short, a few are long. */
  exponential(mean: number): number {
    return -Math.log(1 - this.unit()) * mean
  }

  /** Returns one of the items. There must be at least one item. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }

  /** Returns the items in random order (Fisher and Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const out = [...items]
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      ;[out[i], out[j]] = [out[j]!, out[i]!]
    }
    return out
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    for (let i = 0; i < length; i++) bytes[i] = this.bits() & 0xff
    return bytes
  }
}
