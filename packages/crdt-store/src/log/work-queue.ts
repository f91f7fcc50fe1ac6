import { PeerplaneError } from '@peerplane/core'

/** Does one thing after the other, and refuses more than `limit` that wait. */
export class WorkQueue {
  readonly #limit: number
  #waiting = 0
  #last: Promise<unknown> = Promise.resolve()

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Does `work` in its turn. Rejects with `overloaded` when the queue is full. */
  async add<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= this.#limit) {
      throw new PeerplaneError('overloaded', `${this.#waiting} runs wait already`)
    }
    return this.always(work)
  }

  /** Does `work` in its turn, however full the queue is. */
  async always<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting++
    const result = this.#last.then(work)
    // Ignored: the caller has it; the next work is done anyway.
    this.#last = result.catch(() => undefined).then(() => this.#waiting--)
    return result
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    while (this.#waiting > 0) await this.#last
  }
}
