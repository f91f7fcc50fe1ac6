/** An object that buffers bytes in memory. */
export interface Holder {
  /**
   * Called when the bytes of all holders together exceed the bound, and this holder has the most bytes. When `giveUp` is called, the holder must drop
   * all bytes that it buffers.
   */
  giveUp(): void
}

/** A common bound for the bytes that many holders buffer in memory. If the total exceeds the bound, the holder with the most bytes must drop them. */
export class BytePool {
  readonly #most: number
  readonly #held = new Map<Holder, number>()
  #total = 0

  constructor(most: number) {
    this.#most = most
  }

  /** Records that `holder` now buffers this many bytes. */
  set(holder: Holder, bytes: number): void {
    this.#total += bytes - (this.#held.get(holder) ?? 0)
    if (bytes > 0) this.#held.set(holder, bytes)
    else this.#held.delete(holder)
    if (this.#total > this.#most) this.#greediest()?.giveUp()
  }

  #greediest(): Holder | undefined {
    let greediest: Holder | undefined
    for (const [holder, bytes] of this.#held) {
      if (bytes > (greediest ? this.#held.get(greediest)! : 0)) greediest = holder
    }
    return greediest
  }
}
