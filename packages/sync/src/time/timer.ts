import type { Scheduler } from '@peerplane/core'

/** A timer that has one task at a time. */
export interface Timer {
  /** Runs `task` after `delayMs`, instead of the task that waits. */
  set(delayMs: number, task: () => void): void
  cancel(): void
  running(): boolean
}

/** A timer without a task. */
export function createTimer(scheduler: Scheduler): Timer {
  let stop: (() => void) | undefined
  const cancel = (): void => {
    stop?.()
    stop = undefined
  }
  return {
    set(delayMs, task) {
      cancel()
      stop = scheduler.after(Math.max(0, delayMs), () => {
        stop = undefined
        task()
      })
    },
    cancel,
    running: () => stop !== undefined,
  }
}
