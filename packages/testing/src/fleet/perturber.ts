import { perturbations, type Perturb, type Perturbation } from '@peerplane/core'

import type { SimRandom } from '../world/random.ts'

/** How often each rare branch was taken; 0 for branches that were never taken. */
export type PerturbationCounts = { [Point in Perturbation]?: number }

const PROBABILITY = 0.2

/** Makes Peerplane take branches that are allowed but rare. */
export class Perturber {
  readonly counts: PerturbationCounts = Object.fromEntries(perturbations.map((point) => [point, 0]))
  readonly #random: SimRandom
  readonly #points: ReadonlySet<Perturbation>

  constructor(random: SimRandom, points: readonly Perturbation[]) {
    this.#random = random
    this.#points = new Set(points)
  }

  /**
   * Returns the function that makes the choices of one process. The choices of other processes do not depend on how many choices this process makes.
   */
  choices(process: string): Perturb {
    const random = this.#random.stream(process)
    return (point) => {
      if (!this.#points.has(point) || !random.chance(PROBABILITY)) return false
      this.counts[point] = (this.counts[point] ?? 0) + 1
      return true
    }
  }
}
