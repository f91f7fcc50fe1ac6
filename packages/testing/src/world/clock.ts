import type { Clock } from '@peerplane/core'

import type { SimWorld } from './world.ts'

/** When simulations begin by the clocks of their devices: 2027-01-01 UTC. */
const EPOCH_MS = 1_798_761_600_000

/** The clock of one device: wrong by an offset, running a little fast or slow, and able to jump. */
export class SimClock implements Clock {
  /** How many virtual milliseconds one millisecond of this device lasts. */
  readonly pace: number
  readonly #world: SimWorld
  #offset: number

  constructor(world: SimWorld, offsetMs: number, pace: number) {
    this.#world = world
    this.#offset = offsetMs
    this.pace = pace
  }

  now(): number {
    return Math.floor(EPOCH_MS + this.#offset + this.#world.now / this.pace)
  }

  /** Sets the clock right; it may still run fast or slow. */
  correct(): void {
    this.#offset = this.#world.now - this.#world.now / this.pace
  }

  /** Sets the clock forward, or back when negative. */
  jump(byMs: number): void {
    this.#offset += byMs
  }
}
