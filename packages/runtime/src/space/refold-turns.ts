import { limits, type DeviceId, type EntityKey } from '@peerplane/core'

/** A fork, and the entities that are still to be folded again because of it. */
export interface ForkShare {
  readonly device: DeviceId
  readonly left: ReadonlySet<EntityKey>
}

const MINUTE_MS = 60_000

/**
 * Chooses the entities of each pass: those of all devices that have forked, in turn. A device takes part in a bounded number of passes a minute, so
 * one that forks much neither takes the time of the others nor uses up that of this device.
 */
export class RefoldTurns {
  /** When each device has taken part lately. */
  readonly #passes = new Map<DeviceId, readonly number[]>()
  #now = 0

  /** So many milliseconds have passed. */
  advance(ms: number): void {
    this.#now += ms
  }

  /** The entities of the next pass: all of `wanted`, and of the others as many as there is room for. */
  choose(forks: Iterable<ForkShare>, wanted: Iterable<EntityKey>): Set<EntityKey> {
    const keys = new Set(wanted)
    const turns = new Map<DeviceId, Iterator<EntityKey>>()
    for (const [device, shares] of Map.groupBy(forks, (fork) => fork.device)) {
      if (this.#mayTakePart(device)) turns.set(device, keysOf(shares))
    }
    const served = new Set<DeviceId>()
    while (turns.size > 0 && keys.size < limits.refoldedEntities) {
      for (const [device, rest] of turns) {
        const { done, value: key } = rest.next()
        if (done) turns.delete(device)
        else {
          keys.add(key)
          served.add(device)
        }
      }
    }
    for (const device of served) this.#count(device)
    return keys
  }

  #mayTakePart(device: DeviceId): boolean {
    return this.#recent(device).length < limits.refoldsPerMinute
  }

  #count(device: DeviceId): void {
    for (const each of this.#passes.keys()) {
      if (this.#recent(each).length === 0) this.#passes.delete(each)
    }
    this.#passes.set(device, [...this.#recent(device), this.#now])
  }

  #recent(device: DeviceId): readonly number[] {
    const passes = this.#passes.get(device) ?? []
    return passes.filter((at) => at + MINUTE_MS > this.#now)
  }
}

function* keysOf(shares: readonly ForkShare[]): Generator<EntityKey, undefined> {
  for (const { left } of shares) yield* left
}
