/** The port through which Peerplane makes all its timers. */
export interface Scheduler {
  /**
   * Runs `task` once, after about `delayMs` milliseconds. The returned function cancels the task, and may be called at any time, even after the task
   * has run.
   */
  after(delayMs: number, task: () => void): () => void
}
