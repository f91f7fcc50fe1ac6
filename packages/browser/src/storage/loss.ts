import { PeerplaneError } from '@peerplane/core'
import type { IDBPDatabase } from 'idb'

import { reading } from './reads.ts'
import { KEYS, over, PAIRS, TERM } from './term.ts'

/** Notices that a database was deleted or cleared while it was open: it lacks the term that was begun in it. */
export class Loss {
  readonly #name: string
  readonly #onLost: ((error: PeerplaneError) => void) | undefined
  #error: PeerplaneError | undefined
  #term: number | undefined

  constructor(name: string, onLost: ((error: PeerplaneError) => void) | undefined) {
    this.#name = name
    this.#onLost = onLost
  }

  /** The error for all calls once the database is gone. */
  get error(): PeerplaneError | undefined {
    return this.#error
  }

  /** From here on the database must have `term`. */
  expect(term: number): void {
    this.#term = term
  }

  /** There is no database: makes its object stores, or returns false if there was one before. */
  create(database: IDBPDatabase): boolean {
    if (this.#term !== undefined) {
      this.check(undefined)
      return false
    }
    for (const each of [PAIRS, KEYS]) database.createObjectStore(each)
    return true
  }

  /** Throws `storage-lost`. A database that another tab has taken over is not lost. */
  async accept(database: IDBPDatabase): Promise<void> {
    if (this.#term === undefined) return
    const own = over(this.#term)
    const [last, isOver] = await reading(database, PAIRS, (pairs) =>
      Promise.all([pairs.get(TERM), pairs.get(own)]),
    )
    if (isOver === undefined) this.check(last)
    if (this.#error) throw this.#error
  }

  /** Compares with the term that was found. */
  check(found: unknown): void {
    if (this.#error || found === this.#term) return
    const reason = `the database ${this.#name} was deleted or cleared while it was open`
    this.#error = new PeerplaneError('storage-lost', reason)
    this.#onLost?.(this.#error)
  }
}
