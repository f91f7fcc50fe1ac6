import {
  decodeCanonical,
  encodeCanonical,
  wholeField,
  type EntityKey,
  type Store,
  type Write,
} from '@peerplane/core'

import { counterKey, waitingCounter, waitingKey, waitingKeys } from './keys.ts'
import { decodeWaiting, encodeWaiting, type VersionedBody } from './row.ts'

/** A body that is not part of a stored snapshot. Counters give the order in which bodies came. */
export interface WaitingBody {
  readonly counter: number
  readonly body: VersionedBody
}

/** Bodies of entities that are folded when opened. Here are those that are not stored yet; the others are in the store. */
export class WaitingBodies {
  readonly #unstored = new Map<EntityKey, WaitingBody[]>()
  #next: number

  private constructor(next: number) {
    this.#next = next
  }

  static empty(): WaitingBodies {
    return new WaitingBodies(0)
  }

  static async load(store: Store): Promise<WaitingBodies> {
    const stored = await store.get(counterKey)
    return new WaitingBodies(stored ? wholeField(decodeCanonical(stored), 'counter') : 0)
  }

  add(key: EntityKey, body: VersionedBody): void {
    const waiting = { counter: this.#next++, body }
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

  /** Writes that store the unstored bodies of an entity, and the counter. */
  writes(key: EntityKey): Write[] {
    const writes: Write[] = this.unstored(key).map(({ counter, body }) => ({
      key: waitingKey(key, counter),
      value: encodeWaiting(body),
    }))
    if (writes.length > 0) writes.push({ key: counterKey, value: encodeCanonical(this.#next) })
    return writes
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
