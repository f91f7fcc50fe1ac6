import type { Clock, Scheduler } from '@peerplane/core'

/** Work that many ask for; several requests before it begins are one. */
export interface Pace {
  /** Has the work done soon. */
  ask(): void
  /** Has the work done now; resolves when it was done after this call. */
  insist(): Promise<void>
}

/** Of the time of the device, expensive work gets one part in this many. */
const SHARE = 3

/** Rest at most, however expensive the work was. */
const MAX_REST_MS = 1_000

/**
 * Work that is done at once when it is cheap, and less often the more it costs: after work of n milliseconds the next that was only asked for
 * begins 2n later at the earliest. So a large document that changes all the time is shown as often as the device can afford, and leaves it
 * time to take the changes in; a small one is shown at every change. `work` resolves to the milliseconds it took, without what it waited for.
 */
export function paced(clock: Clock, scheduler: Scheduler, work: () => Promise<number>): Pace {
  let waiting: PromiseWithResolvers<void> | undefined
  let running = false
  let insisted = false
  let restUntil = 0
  let cancelRest: (() => void) | undefined

  const run = async (): Promise<void> => {
    cancelRest?.()
    cancelRest = undefined
    running = true
    while (waiting) {
      const served = waiting
      waiting = undefined
      insisted = false
      const costMs = await work()
      const ended = clock.now()
      restUntil = ended + Math.min(Math.max(0, costMs) * (SHARE - 1), MAX_REST_MS)
      served.resolve()
      if (restUntil > ended && !insisted) break
    }
    running = false
    if (waiting) rest()
  }
  const rest = (): void => {
    // A clock that was set back must not make the rest longer.
    const left = Math.min(Math.max(0, restUntil - clock.now()), MAX_REST_MS)
    cancelRest ??= scheduler.after(left, () => void run())
  }

  return {
    ask: () => {
      waiting ??= Promise.withResolvers()
      if (running) return
      if (clock.now() < restUntil) rest()
      else void run()
    },
    insist: () => {
      waiting ??= Promise.withResolvers()
      insisted = true
      const { promise } = waiting
      if (!running) void run()
      return promise
    },
  }
}
