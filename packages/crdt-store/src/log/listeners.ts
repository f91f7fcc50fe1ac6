/** Who wants to be called back. */
export class Listeners<Args extends readonly unknown[]> {
  readonly #callbacks = new Set<(...args: Args) => void>()

  /** Adds a callback; the returned function removes it. */
  add(callback: (...args: Args) => void): () => void {
    // A new function, so that adding one function twice makes two calls, each removed separately.
    const own = (...args: Args): void => callback(...args)
    this.#callbacks.add(own)
    return () => this.#callbacks.delete(own)
  }

  /** Calls all. One that throws does not keep the others, or the caller, from going on: its error surfaces as an unhandled rejection. */
  call(...args: Args): void {
    for (const callback of this.#callbacks) {
      try {
        callback(...args)
      } catch (error) {
        void Promise.reject(error)
      }
    }
  }
}
