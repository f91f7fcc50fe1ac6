import {
  arrayField,
  decodeCanonical,
  encodeCanonical,
  PeerplaneError,
  wholeField,
  type Store,
  type Write,
} from '@peerplane/core'

import { countedKeys, tallyKey } from './keys.ts'

/*
 *   tally   [rows, snapshots and waiting bodies, folded sessions, next counter of waiting bodies, entities that do not exist]
 */

/** How many records of the entities are stored, which a checksum cannot tell: one that is gone leaves no other sign. It is stored with each change of them. */
export class Tally {
  #stored: number
  #next: number
  #absent: number

  private constructor(stored: number, next: number, absent: number) {
    this.#stored = stored
    this.#next = next
    this.#absent = absent
  }

  /** The tally of a store in which this many sessions are folded. Throws `store-corrupt` if it does not match what is stored. */
  static async load(store: Store, sessions: number): Promise<Tally> {
    const [value, found] = await Promise.all([store.get(tallyKey), store.count(countedKeys)])
    const fields = value ? arrayField(decodeCanonical(value), 'tally', 4) : [0, 0, 0, 0]
    const [expected, folded, next, absent] = fields.map((field) => wholeField(field, 'tally')) as [
      number,
      number,
      number,
      number,
    ]
    if (found !== expected || sessions !== folded) {
      const what = `${found} of ${expected} records and ${sessions} of ${folded} sessions`
      throw new PeerplaneError('store-corrupt', `the store has ${what} derived from the log`)
    }
    return new Tally(found, next, absent)
  }

  /** The counter of the next waiting body. */
  next(): number {
    return this.#next++
  }

  /** How many entities are stored as absent. Whether they are there is not checked here. */
  get absent(): number {
    return this.#absent
  }

  /** What goes with a write that adds so many records and absent entities, after which `sessions` are folded. */
  capture(
    { more, absent }: { readonly more: number; readonly absent: number },
    sessions: number,
  ): { readonly write: Write; stored(): void } {
    const [stored, gone] = [this.#stored + more, this.#absent + absent]
    return {
      write: { key: tallyKey, value: encodeCanonical([stored, sessions, this.#next, gone]) },
      stored: () => {
        this.#stored = stored
        this.#absent = gone
      },
    }
  }

  /** Nothing is stored. */
  clear(): void {
    this.#stored = 0
    this.#absent = 0
  }
}
