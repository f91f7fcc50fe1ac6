import type { EntityKey, Store, Write } from '@peerplane/core'

import { waitingCounter, waitingKey, waitingKeys } from './keys.ts'
import { decodeWaiting, encodeWaiting, type VersionedBody } from './row.ts'
import type { Tally } from './tally.ts'

/** A body that is not part of a stored snapshot. Counters give the order in which bodies came. */
export interface WaitingBody {
  readonly counter: number
  readonly body: VersionedBody
}

/** Writes that store bodies of an entity. */
export const waitingWrites = (key: EntityKey, bodies: readonly WaitingBody[]): Write[] =>
  bodies.map(({ counter, body }) => ({ key: waitingKey(key, counter), value: encodeWaiting(body) }))

/** Bodies of entities that are folded when opened. Here are those that are not stored yet; the others are in the store. */
export class WaitingBodies {
  readonly #unstored = new Map<EntityKey, WaitingBody[]>()
  readonly #tally: Tally

  constructor(tally: Tally) {
    this.#tally = tally
  }

  add(key: EntityKey, body: VersionedBody): void {
    const waiting = { counter: this.#tally.next(), body }
    const list = this.#unstored.get(key)
    if (list) list.push(waiting)
    else this.#unstored.set(key, [waiting])
  }

  unstored(key: EntityKey): readonly WaitingBody[] {
    return this.#unstored.get(key) ?? []
  }

  /** All waiting bodies of an entity, in order; those of `unstored` also when they were stored while this was reading. */
  async read(store: Store, key: EntityKey): Promise<readonly WaitingBody[]> {
    const before = [...this.unstored(key)]
    const entries = await store.scan(waitingKeys(key))
    const found = entries.map((entry) => ({
      counter: waitingCounter(entry.key),
      body: decodeWaiting(entry.value),
    }))
    const all = new Map([...found, ...before].map((each) => [each.counter, each]))
    for (const { counter } of this.unstored(key)) all.delete(counter)
    return [...all.values(), ...this.unstored(key)].sort((a, b) => a.counter - b.counter)
  }

  /** Forgets what is not stored. */
  reset(): void {
    this.#unstored.clear()
  }

  /** These bodies of an entity are stored now, or part of its snapshot. */
  taken(key: EntityKey, bodies: readonly WaitingBody[]): void {
    const last = bodies.at(-1)?.counter ?? -1
    const rest = this.unstored(key).filter(({ counter }) => counter > last)
    if (rest.length > 0) this.#unstored.set(key, rest)
    else this.#unstored.delete(key)
  }
}
