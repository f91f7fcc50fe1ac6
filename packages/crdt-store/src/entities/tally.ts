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
 *   tally   [rows, snapshots and waiting bodies, folded sessions, next counter of waiting bodies]
 */

/** How many records of the entities are stored, which a checksum cannot tell: one that is gone leaves no other sign. It is stored with each change of them. */
export class Tally {
  #stored: number
  #next: number

  private constructor(stored: number, next: number) {
    this.#stored = stored
    this.#next = next
  }

  /** The tally of a store in which this many sessions are folded. Throws `store-corrupt` if it does not match what is stored. */
  static async load(store: Store, sessions: number): Promise<Tally> {
    const [value, found] = await Promise.all([store.get(tallyKey), store.count(countedKeys)])
    const fields = value ? arrayField(decodeCanonical(value), 'tally', 3) : [0, 0, 0]
    const [expected, folded, next] = fields.map((field) => wholeField(field, 'tally')) as [
      number,
      number,
      number,
    ]
    if (found !== expected || sessions !== folded) {
      const what = `${found} of ${expected} records and ${sessions} of ${folded} sessions`
      throw new PeerplaneError('store-corrupt', `the store has ${what} derived from the log`)
    }
    return new Tally(found, next)
  }

  /** The counter of the next waiting body. */
  next(): number {
    return this.#next++
  }

  /** What goes with a write that adds `more` records, after which `sessions` are folded. */
  capture(more: number, sessions: number): { readonly write: Write; stored(): void } {
    const stored = this.#stored + more
    return {
      write: { key: tallyKey, value: encodeCanonical([stored, sessions, this.#next]) },
      stored: () => {
        this.#stored = stored
      },
    }
  }

  /** Nothing is stored. */
  clear(): void {
    this.#stored = 0
  }
}
