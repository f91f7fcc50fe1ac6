import type { Scheduler } from '@peerplane/core'

/** Lets other work go first, between the parts of work that takes long. */
export class Pauses {
  readonly #scheduler: Scheduler
  #end: (() => void) | undefined
  #isStopped = false

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  /** Resolves after `ms`, at the earliest in a later turn of the event loop. One pause at a time. */
  pause(ms = 0): Promise<void> {
    if (this.#isStopped) return Promise.resolve()
    return new Promise((resolve) => {
      const cancel = this.#scheduler.after(ms, resolve)
      this.#end = () => {
        cancel()
        resolve()
      }
    })
  }

  /** Makes no more pauses, and ends this one. */
  stop(): void {
    this.#isStopped = true
    this.#end?.()
  }
}
