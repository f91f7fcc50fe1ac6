import type { Perturb, Perturbation } from '@peerplane/core'

import type { SimRandom } from '../world/random.ts'

/** How often each rare way was taken. */
export type PerturbationCounts = Partial<Record<Perturbation, number>>

const PROBABILITY = 0.2

/** Sends the product down ways that it may take and seldom does. */
export class Perturber {
  readonly counts: PerturbationCounts = {}
  readonly #random: SimRandom
  readonly #points: ReadonlySet<Perturbation>

  constructor(random: SimRandom, points: readonly Perturbation[]) {
    this.#random = random
    this.#points = new Set(points)
  }

  /** The choices of one process: those of the others do not depend on how many it makes. */
  choices(process: string): Perturb {
    const random = this.#random.stream(process)
    return (point) => {
      if (!this.#points.has(point) || !random.chance(PROBABILITY)) return false
      this.counts[point] = (this.counts[point] ?? 0) + 1
      return true
    }
  }
}
