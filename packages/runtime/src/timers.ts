import type { Scheduler } from '@peerplane/core'

/** A scheduler whose tasks all end with it. */
export interface Timers extends Scheduler {
  /** Forgets what is to come, and whatever is asked for from now on. */
  stop(): void
}

/** Timers for one plane, which leaves none behind when it is closed. */
export function createTimers(scheduler: Scheduler): Timers {
  const cancels = new Set<() => void>()
  let stopped = false
  return {
    after: (delayMs, task) => {
      if (stopped) return () => undefined
      const forget = scheduler.after(delayMs, () => {
        cancels.delete(cancel)
        task()
      })
      const cancel = (): void => {
        cancels.delete(cancel)
        forget()
      }
      cancels.add(cancel)
      return cancel
    },
    stop: () => {
      stopped = true
      for (const cancel of cancels) cancel()
    },
  }
}
