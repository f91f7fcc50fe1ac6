/** Makes all timers of the system. */
export interface Scheduler {
  /** Runs `task` once, after about `delayMs` milliseconds. The returned function cancels the task and may be called at any time. */
  after(delayMs: number, task: () => void): () => void
}
