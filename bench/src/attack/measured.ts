/** Percentiles of some times in milliseconds; `Infinity` for what did not happen at all. */
export interface Times {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** What one process needed in one phase: the most of it. */
export interface Needs {
  /** Resident bytes. */
  readonly memory: number
  /** Open file handles. */
  readonly handles: number
  /** Milliseconds for which its event loop did not turn. */
  readonly blocked: number
  /** Bytes that are in use after collecting garbage at the end of the phase: heap and buffers. */
  readonly held: number
  /** Listeners of all that lives after that. */
  readonly listeners: number
}

/** Honest work and honest processes over some seconds. */
export interface Phase {
  readonly seconds: number
  readonly acknowledged: Times
  readonly shown: Times
  readonly processes: Readonly<Record<string, Needs>>
  /** The slowest answer in milliseconds; `Infinity` for none. */
  readonly control: number
  readonly page: number
  /** Milliseconds until a new member saw what was written after it had come; `NaN` where none came. */
  readonly newcomer: number
}

/** What each attack has counted. */
export type Done = Record<string, Record<string, number>>

/** One attack, or several at once. */
export interface Measured {
  readonly before: Phase
  readonly during: Phase
  readonly after: Phase
  /** Milliseconds from the end of the attack until all was as before; `Infinity` when it was not within the bound. */
  readonly recovery: number
  /** What the attackers counted. */
  readonly done: Done
}

/** Percentiles of `values`, which may be none. */
export function timesOf(values: readonly number[]): Times {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? Number.NaN }
}
