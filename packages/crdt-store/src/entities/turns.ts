import type { Scheduler } from '@peerplane/core'

/** Lets other work go first, between the parts of work that takes long. */
export class Turns {
  readonly #scheduler: Scheduler
  readonly #waiting = new Map<() => void, () => void>()
  #isStopped = false

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  /** Resolves in a later turn of the event loop. */
  next(): Promise<void> {
    if (this.#isStopped) return Promise.resolve()
    return new Promise((resolve) => {
      const cancel = this.#scheduler.after(0, () => {
        this.#waiting.delete(resolve)
        resolve()
      })
      this.#waiting.set(resolve, cancel)
    })
  }

  /** Waits for nothing from now on. */
  stop(): void {
    this.#isStopped = true
    for (const [resolve, cancel] of this.#waiting) {
      cancel()
      resolve()
    }
    this.#waiting.clear()
  }
}
