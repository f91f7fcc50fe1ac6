import { type NetworkStatus, type Refusal } from '@peerplane/core'

/** Counts who was turned away or cut off, and why. */
export class Refusals {
  readonly #counts = new Map<Refusal, number>()

  add(why: Refusal): void {
    this.#counts.set(why, this.of(why) + 1)
  }

  of(why: Refusal): number {
    return this.#counts.get(why) ?? 0
  }

  all(): NetworkStatus['refused'] {
    return Object.fromEntries(this.#counts)
  }
}
