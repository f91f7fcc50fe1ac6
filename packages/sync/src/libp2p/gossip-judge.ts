import { limits, type Refusal } from '@peerplane/core'

import { Rate } from '../bounds/rate.ts'

/** What happens to a gossiped message. */
export interface Judgement {
  /** Whether it is believed and passed on. */
  readonly taken: boolean
  /** Which rule the peer broke, when it has to be cut off. */
  readonly offence?: Refusal
}

interface Neighbour {
  /** What comes, good or not. */
  readonly flood: Rate
  readonly taken: Rate
  garbage: number
  /** It has been cut off; what it sent before still arrives. */
  isOut: boolean
}

/**
 * Decides on gossip before it is passed on. Every honest peer checks first, so a peer that passes on garbage, or more than this judge would, is
 * not honest: the bound for cutting off lies above all that this judge lets through.
 */
export class GossipJudge {
  readonly #now: () => number
  readonly #neighbours = new Map<string, Neighbour>()
  readonly #passed: Rate
  readonly #passedBytes: Rate

  /** `now` gives milliseconds that never go back. */
  constructor(now: () => number) {
    this.#now = now
    this.#passed = this.#rate(limits.gossipPassedPerSecond)
    this.#passedBytes = this.#rate(limits.gossipBytesPerSecond)
  }

  /** Decides on `bytes` from a neighbour; `isWritten` says whether a member wrote them, and is asked only when there is room for them. */
  judge(peer: string, bytes: number, isWritten: () => boolean): Judgement {
    const neighbour = this.#neighbour(peer)
    if (neighbour.isOut) return { taken: false }
    if (!neighbour.flood.take()) return this.#cutOff(neighbour, 'flood')
    if (!neighbour.taken.take()) return { taken: false }
    if (!this.#passedBytes.take(bytes) || !this.#passed.take()) return { taken: false }
    if (isWritten()) return { taken: true }
    neighbour.garbage += 1
    return neighbour.garbage < limits.gossipGarbage
      ? { taken: false }
      : this.#cutOff(neighbour, 'garbage')
  }

  forget(peer: string): void {
    this.#neighbours.delete(peer)
  }

  #cutOff(neighbour: Neighbour, offence: Refusal): Judgement {
    neighbour.isOut = true
    return { taken: false, offence }
  }

  #neighbour(peer: string): Neighbour {
    const known = this.#neighbours.get(peer)
    if (known) return known
    const neighbour = {
      flood: this.#rate(limits.gossipFloodPerSecond),
      taken: this.#rate(limits.gossipPerSecond),
      garbage: 0,
      isOut: false,
    }
    this.#neighbours.set(peer, neighbour)
    return neighbour
  }

  #rate(perSecond: number): Rate {
    return new Rate({ perSecond, burst: 2 * perSecond, now: this.#now })
  }
}
