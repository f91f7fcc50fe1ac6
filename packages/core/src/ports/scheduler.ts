/** The only timers in the system. */
export interface Scheduler {
  /** Runs `task` once after about `delayMs`; the returned function cancels it and may be called at any time. */
  after(delayMs: number, task: () => void): () => void
}
