import type { Clock } from './ports/clock.ts'

/**
 * A hybrid logical timestamp: milliseconds since 1970, and a counter for events within one millisecond. Timestamps are used only for display, and to
 * decide which of several concurrent values wins.
 */
export interface Timestamp {
  readonly ms: number
  readonly counter: number
}

/** Compares two timestamps by their milliseconds, then by their counters. */
export function compareTimestamps(a: Timestamp, b: Timestamp): number {
  return a.ms - b.ms || a.counter - b.counter
}

/** The largest valid counter of a timestamp. */
export const MAX_COUNTER = 0xffff

/**
 * A timestamp of another device moves the hybrid clock only if it is at most `MAX_AHEAD_MS` ahead of the wall clock of this device. A timestamp that
 * is more than `MAX_AHEAD_MS` ahead is displayed, but does not move the hybrid clock.
 */
export const MAX_AHEAD_MS: number = 24 * 3_600_000

/**
 * A hybrid logical clock (Kulkarni and others 2014). A hybrid clock stays close to wall time, but its next timestamp is always later than all
 * timestamps that this device has written, or has accepted from other devices.
 */
export class HybridClock {
  readonly #clock: Clock
  #last: Timestamp = { ms: 0, counter: 0 }

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Returns the time of the wall clock, in milliseconds since 1970. */
  wallTime(): number {
    return this.#clock.now()
  }

  /** Returns a timestamp that is later than all earlier timestamps of the clock. */
  next(): Timestamp {
    const now = this.#clock.now()
    const { ms, counter } = this.#last
    if (now > ms) this.#last = { ms: now, counter: 0 }
    else if (counter < MAX_COUNTER) this.#last = { ms, counter: counter + 1 }
    else this.#last = { ms: ms + 1, counter: 0 }
    return this.#last
  }

  /** Moves the clock forward to a timestamp of another device, unless that timestamp is too far ahead. */
  observe(remote: Timestamp): void {
    if (remote.ms > this.#clock.now() + MAX_AHEAD_MS) return
    if (compareTimestamps(remote, this.#last) > 0) this.#last = remote
  }
}
