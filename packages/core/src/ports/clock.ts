/** Wall time. */
export interface Clock {
  /** Whole milliseconds since 1970-01-01 UTC. It may jump. */
  now(): number
}
