import type { Clock } from './ports/clock.ts'

/** A hybrid logical timestamp: milliseconds since 1970 and a counter for events of one millisecond. For display and ties only. */
export interface Timestamp {
  readonly ms: number
  readonly counter: number
}

/** Order of two timestamps: milliseconds, then counter. */
export function compareTimestamps(a: Timestamp, b: Timestamp): number {
  return a.ms - b.ms || a.counter - b.counter
}

/** The largest counter; beyond it a timestamp is not valid. */
export const MAX_COUNTER = 0xffff

/** How far a timestamp may be ahead of a device's own clock and still move it, in milliseconds. Later ones are only shown. */
export const MAX_AHEAD_MS: number = 24 * 3_600_000

/**
 * A hybrid logical clock (Kulkarni and others 2014): close to wall time, yet later than everything this device has written or seen.
 * It only decides which of several concurrent values wins.
 */
export class HybridClock {
  readonly #clock: Clock
  #last: Timestamp = { ms: 0, counter: 0 }

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A timestamp later than all before. */
  next(): Timestamp {
    const now = this.#clock.now()
    const { ms, counter } = this.#last
    if (now > ms) this.#last = { ms: now, counter: 0 }
    else if (counter < MAX_COUNTER) this.#last = { ms, counter: counter + 1 }
    else this.#last = { ms: ms + 1, counter: 0 }
    return this.#last
  }

  /** Moves the clock up to a timestamp of another device, unless it is too far ahead. */
  observe(remote: Timestamp): void {
    if (remote.ms > this.#clock.now() + MAX_AHEAD_MS) return
    if (compareTimestamps(remote, this.#last) > 0) this.#last = remote
  }
}
