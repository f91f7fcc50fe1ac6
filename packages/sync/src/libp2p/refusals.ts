import type { NetworkStatus, Refusal, Trace } from '@peerplane/core'

/** Counts refused and closed connections by reason. */
export class Refusals {
  readonly #counts = new Map<Refusal, number>()

  readonly #trace: Trace | undefined

  constructor(trace?: Trace) {
    this.#trace = trace
  }

  add(why: Refusal): void {
    this.#trace?.('peer.refused', { why })
    this.#counts.set(why, this.of(why) + 1)
  }

  of(why: Refusal): number {
    return this.#counts.get(why) ?? 0
  }

  all(): NetworkStatus['refused'] {
    return Object.fromEntries(this.#counts)
  }
}
