/** What a rate allows. */
export interface RateOptions {
  readonly perSecond: number
  /** How many may come at once after a pause. */
  readonly burst: number
  /** Milliseconds that never go back. */
  readonly now: () => number
}

/** A token bucket. */
export class Rate {
  readonly #options: RateOptions
  #left: number
  #at: number

  constructor(options: RateOptions) {
    this.#options = options
    this.#left = options.burst
    this.#at = options.now()
  }

  /** Whether `count` more are within the rate; they are counted then. */
  take(count = 1): boolean {
    this.#refill()
    if (this.#left < count) return false
    this.#left -= count
    return true
  }

  /** Whether nothing of it is in use. */
  idle(): boolean {
    this.#refill()
    return this.#left >= this.#options.burst
  }

  #refill(): void {
    const { perSecond, burst, now } = this.#options
    const at = now()
    this.#left = Math.min(burst, this.#left + ((at - this.#at) / 1000) * perSecond)
    this.#at = at
  }
}

/** A rate for each of many, of which at most `most` are remembered: those in use, the latest last. */
export class Rates {
  readonly #options: RateOptions
  readonly #most: number
  readonly #rates = new Map<string, Rate>()

  constructor(options: RateOptions, most: number) {
    this.#options = options
    this.#most = most
  }

  take(key: string, count = 1): boolean {
    const rate = this.#rates.get(key) ?? new Rate(this.#options)
    this.#rates.delete(key)
    this.#rates.set(key, rate)
    if (this.#rates.size > this.#most) this.#forget()
    return rate.take(count)
  }

  #forget(): void {
    for (const [key, rate] of this.#rates) if (rate.idle()) this.#rates.delete(key)
    for (const key of this.#rates.keys()) {
      if (this.#rates.size <= this.#most) return
      this.#rates.delete(key)
    }
  }
}
