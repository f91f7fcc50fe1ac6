import type { Scheduler } from './ports/scheduler.ts'
import type { Service } from './services.ts'

/** A group of timers. `stop` cancels all timers of the group. */
export class Timers implements Scheduler, Service {
  readonly #scheduler: Scheduler
  readonly #cancels = new Set<() => void>()
  #isStopped = false

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  after(delayMs: number, task: () => void): () => void {
    if (this.#isStopped) return () => undefined
    const forget = this.#scheduler.after(delayMs, () => {
      this.#cancels.delete(cancel)
      task()
    })
    const cancel = (): void => {
      this.#cancels.delete(cancel)
      forget()
    }
    this.#cancels.add(cancel)
    return cancel
  }

  /** Cancels all timers of the group. Timers that are requested after `stop` never fire. */
  stop(): void {
    this.#isStopped = true
    for (const cancel of this.#cancels) cancel()
  }
}
