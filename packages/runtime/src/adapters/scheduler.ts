import type { Scheduler } from '@peerplane/core'

/** Longest delay that platforms keep; beyond it they fire at once. */
const LONGEST_MS = 2 ** 31 - 1

/**
 * The timers of the platform. In Node, the timers of Peerplane do not keep a process alive, but open sockets do. So a Node program whose plane has no
 * network ends when its own work is done.
 */
export const systemScheduler: Scheduler = {
  after(delayMs, task) {
    let timer = start(delayMs)
    return () => clearTimeout(timer)

    function start(remainingMs: number): ReturnType<typeof setTimeout> {
      const step = Math.min(remainingMs, LONGEST_MS)
      const next = (): void => {
        if (remainingMs > step) timer = start(remainingMs - step)
        else task()
      }
      return unref(setTimeout(next, step))
    }
  },
}

/** Node's timers are objects with `unref`, those of browsers are numbers. */
function unref<Timer>(timer: Timer): Timer {
  const maybe = timer as { unref?: () => void }
  maybe.unref?.()
  return timer
}
