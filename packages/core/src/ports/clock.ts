/** Wall time. */
export interface Clock {
  /** Returns whole milliseconds since 1970-01-01 UTC. The wall clock may jump forward or back. */
  now(): number
}
