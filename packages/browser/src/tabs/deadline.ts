import { limits, type Scheduler } from '@peerplane/core'

/**
 * Runs `task` when the time for an answer from another tab is over: one beat later, because a tab that has hung itself takes in first what
 * came meanwhile. The returned function cancels it.
 */
export function atDeadline(scheduler: Scheduler, task: () => void): () => void {
  let cancel = scheduler.after(limits.tabAnswerMs, () => {
    cancel = scheduler.after(limits.tabBeatMs, task)
  })
  return () => cancel()
}
