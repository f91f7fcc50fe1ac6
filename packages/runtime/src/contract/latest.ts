/**
 * Sends one value at a time and, once it was seen, the latest of those that came meanwhile: a slow tab is never flooded. A value is sent when
 * `settled`, asked after it came, resolves; if that rejects, it is left out, and another one must follow.
 */
export class Latest<T> {
  readonly #send: (value: T) => void
  readonly #settled: () => Promise<void>
  readonly #waiters = new Set<{ readonly count: number; readonly resolve: () => void }>()
  #waiting: { readonly value: T; readonly count: number } | undefined
  #offered = 0
  #sent = 0
  #busy = false
  #stopped = false

  constructor(send: (value: T) => void, settled: () => Promise<void>) {
    this.#send = send
    this.#settled = settled
  }

  readonly offer = (value: T): void => {
    this.#waiting = { value, count: ++this.#offered }
    if (!this.#busy) void this.#next()
  }

  /** What was sent last was seen. */
  seen(): void {
    void this.#next()
  }

  /** Resolves when the value that was offered last, or a later one, is sent, or nothing more will be sent. */
  sent(): Promise<void> {
    if (this.#stopped || this.#sent >= this.#offered) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.add({ count: this.#offered, resolve }))
  }

  stop(): void {
    this.#stopped = true
    this.#waiting = undefined
    this.#release()
  }

  async #next(): Promise<void> {
    this.#busy = true
    while (this.#waiting) {
      const { value, count } = this.#waiting
      this.#waiting = undefined
      // Ignored: the caller gets the error; what was not kept is not shown.
      const kept = await this.#settled().then(
        () => true,
        () => false,
      )
      if (this.#stopped) return
      if (!kept) continue
      this.#send(value)
      this.#sent = count
      this.#release()
      return
    }
    this.#busy = false
  }

  #release(): void {
    for (const waiter of this.#waiters) {
      if (!this.#stopped && waiter.count > this.#sent) continue
      this.#waiters.delete(waiter)
      waiter.resolve()
    }
  }
}
