import type { Clock, Scheduler } from '@peerplane/core'

/** A clock that stands still until a test moves it, with the timers that go by it. */
export interface ManualTime extends Clock, Scheduler {
  /** Lets `ms` pass: due timers run in order, and whatever they set in motion comes to rest before the next. */
  pass(ms: number): Promise<void>
}

/** `rest` resolves when nothing moves but time. */
export function manualTime(rest: () => Promise<void>): ManualTime {
  let now = 1_750_000_000_000
  let count = 0
  const timers = new Map<number, { readonly at: number; readonly task: () => void }>()
  const nextDue = (until: number): number | undefined => {
    let due: number | undefined
    for (const [id, { at }] of timers) {
      if (at <= until && (due === undefined || at < timers.get(due)!.at)) due = id
    }
    return due
  }
  return {
    now: () => now,
    after(delayMs, task) {
      const id = count++
      timers.set(id, { at: now + Math.max(0, delayMs), task })
      return () => timers.delete(id)
    },
    async pass(ms) {
      const until = now + ms
      await rest()
      for (let id = nextDue(until); id !== undefined; id = nextDue(until)) {
        const { at, task } = timers.get(id)!
        timers.delete(id)
        now = at
        task()
        await rest()
      }
      now = until
    },
  }
}
