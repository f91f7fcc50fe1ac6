import type { Clock, Scheduler } from '@peerplane/core'

import type { SimClock } from './clock.ts'
import type { SimWorld } from './world.ts'

/**
 * One run of a program on a device. Everything that happens to it passes through here, so it can be paused, and it can be killed: then no
 * timer fires, no promise of a port resolves and no callback comes, in the middle of whatever it was doing.
 */
export class SimProcess {
  readonly name: string
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly #world: SimWorld
  readonly #timers = new Set<object>()
  #alive = true
  #pausedUntil = 0

  constructor(name: string, world: SimWorld, clock: SimClock) {
    this.name = name
    this.#world = world
    this.clock = clock
    const jitter = world.random.stream(`jitter ${name}`)
    this.scheduler = {
      after: (delayMs, task) => {
        const timer = {}
        this.#timers.add(timer)
        // A timer is late by up to a millisecond.
        const lateMs = Math.max(0, delayMs) * clock.pace + jitter.unit()
        const cancel = this.after(lateMs, () => {
          this.#timers.delete(timer)
          task()
        })
        return () => {
          this.#timers.delete(timer)
          cancel()
        }
      },
    }
  }

  /** How many timers of the program are set. */
  get timers(): number {
    return this.#timers.size
  }

  get alive(): boolean {
    return this.#alive
  }

  get pausedUntil(): number {
    return this.#pausedUntil
  }

  /** Ends the process at once. */
  kill(): void {
    this.#alive = false
  }

  /** Stops the process until a virtual time; what comes meanwhile waits. */
  pause(until: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, until)
  }

  /** Runs `task` in this process after `delayMs` virtual milliseconds, if it lives then. */
  after(delayMs: number, task: () => void): () => void {
    return this.#world.after(delayMs, task, this)
  }

  /** Runs `task` in this process as soon as it runs: now, unless it is paused. */
  soon(task: () => void): void {
    if (this.#pausedUntil > this.#world.now) this.after(0, task)
    else if (this.#alive) task()
  }

  /** A promise that settles only while the process lives. */
  promise<T>(
    start: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.#alive) return
      start(
        (value) => {
          if (this.#alive) resolve(value)
        },
        (error) => {
          if (this.#alive) reject(error as Error)
        },
      )
    })
  }
}
