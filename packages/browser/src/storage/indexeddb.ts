import { compareBytes, PeerplaneError } from '@peerplane/core'
import type { Aside, Clock, Entry, Range, Store, StoreDurability, Write } from '@peerplane/core'
import { systemClock } from '@peerplane/runtime'
import type { IDBPDatabase } from 'idb'

import { createConnection } from './connection.ts'
import type { Connection } from './connection.ts'
import { indexedDbError } from './indexeddb-errors.ts'
import {
  ASIDES,
  assertNotTaken,
  beginTerm,
  isTaken,
  newestOf,
  PAIRS,
  refuseIfTaken,
} from './term.ts'

/** Which database of this origin. */
export interface IndexedDbStoreOptions {
  readonly name: string
  readonly clock?: Clock
  /** Called when a write has found that the store was opened elsewhere. */
  readonly taken?: () => void
}

/** A store, and which opening of its database it is. */
export interface TermStore extends Store {
  /** Larger than that of every earlier opening. */
  readonly term: number
}

/**
 * A store in one IndexedDB database. Only one tab writes to it: the one that has opened it last. Every write of an earlier opening is refused
 * with `store-locked`, and changes nothing, also if that tab was asleep for a while and knows of nothing.
 *
 * One transaction is under way at a time; writes that come meanwhile share the next one. It is `strict` (flushed to the disk before it
 * completes) if any of its writes is `synced`, otherwise `relaxed`. A connection that the browser has closed is opened again.
 *
 * Rejects with `store-version`, `store-failed`, `store-corrupt`, or `unsupported` where strict transactions do not exist.
 */
export async function openIndexedDbStore(options: IndexedDbStoreOptions): Promise<TermStore> {
  const { name, clock = systemClock, taken = () => {} } = options
  const connection = createConnection(name, 1, (database) => {
    database.createObjectStore(PAIRS)
    for (const place of ASIDES) database.createObjectStore(place)
  })
  try {
    return new IndexedDbStore(connection, await beginTerm(connection, clock), taken)
  } catch (cause) {
    connection.close()
    throw indexedDbError(cause, `The database ${name} could not be opened`)
  }
}

interface Queued {
  readonly writes: readonly Write[]
  readonly durability: StoreDurability
  readonly resolve: () => void
  readonly reject: (error: PeerplaneError) => void
}

class IndexedDbStore implements TermStore {
  readonly term: number
  readonly #connection: Connection
  readonly #taken: () => void
  #queue: Queued[] = []
  /** Settles, and never rejects, when nothing is queued any more. */
  #flushing: Promise<void> | undefined
  #asides = 0

  constructor(connection: Connection, term: number, taken: () => void) {
    this.#connection = connection
    this.term = term
    this.#taken = taken
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#connection.use(
      async (database) => (await database.get(PAIRS, view(key))) as Uint8Array | undefined,
    )
  }

  scan(range: Range): Promise<readonly Entry[]> {
    return this.#connection.use(async (database) => {
      const keys = keyRange(range)
      if (!keys) return []
      const pairs = database.transaction(PAIRS).store
      if (range.reverse) {
        const entries: Entry[] = []
        let cursor = await pairs.openCursor(keys, 'prev')
        while (cursor) {
          entries.push(entryOf(cursor.primaryKey, cursor.value))
          if (entries.length === range.limit) break
          cursor = await cursor.continue()
        }
        return entries
      }
      const [found, values] = await Promise.all([
        pairs.getAllKeys(keys, range.limit),
        pairs.getAll(keys, range.limit),
      ])
      return found.map((key, i) => entryOf(key, values[i]))
    })
  }

  readonly aside: Aside = {
    get: () => this.#connection.use((database) => this.#newestAside(database)),
    set: async (value) => {
      try {
        const number = this.#asides++
        const place = ASIDES[number % ASIDES.length]!
        const transaction = await this.#connection.transaction(place, 'relaxed')
        const { done, store } = transaction
        // A request that fails aborts the transaction, whose error is the one to report.
        store.put({ number, value: value?.slice() }, this.term).catch(() => {})
        transaction.commit()
        await done
      } catch (cause) {
        throw indexedDbError(cause, 'The write was not acknowledged')
      }
    },
  }

  async #newestAside(database: IDBPDatabase): Promise<Uint8Array | undefined> {
    const newest = newestOf(
      await Promise.all(ASIDES.map((place) => database.get(place, this.term))),
    )
    this.#asides = (newest?.number ?? -1) + 1
    return newest?.value
  }

  write(writes: readonly Write[], durability: StoreDurability): Promise<void> {
    // Copied, because the caller may use its arrays again before the transaction begins, and because a view would be stored with all of the
    // buffer that it looks into.
    const copies = writes.map(({ key, value }) => ({ key: key.slice(), value: value?.slice() }))
    return new Promise((resolve, reject) => {
      const closed = this.#connection.closed()
      if (closed) return reject(closed)
      this.#queue.push({ writes: copies, durability, resolve, reject })
      this.#flushing ??= this.#flush()
    })
  }

  async close(): Promise<void> {
    const closing = this.#flushing
    // Later calls are refused from here on; those that were queued before still find their connection.
    this.#connection.refuse()
    await closing
    this.#connection.close()
  }

  async #flush(): Promise<void> {
    // The rest of this turn may write more.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      const group = this.#queue.splice(0)
      try {
        await this.#transact(group)
        for (const { resolve } of group) resolve()
      } catch (cause) {
        const error = this.#errorOf(cause)
        for (const { reject } of group) reject(error)
      }
    }
    this.#flushing = undefined
  }

  async #transact(group: readonly Queued[]): Promise<void> {
    try {
      await this.#put(group)
    } catch (error) {
      const deletes = group.flatMap(({ writes }) => writes).every(({ value }) => !value)
      if (!deletes || !isFull(error)) throw error
      await this.#delete(group)
    }
  }

  /** Deletes where there is no room even for the record of {@link refuseIfTaken}. */
  async #delete(group: readonly Queued[]): Promise<void> {
    const { done, store } = await this.#connection.transaction(PAIRS, 'strict')
    done.catch(() => {})
    await assertNotTaken(store, this.term)
    for (const { key } of group.flatMap(({ writes }) => writes)) {
      store.delete(view(key)).catch(() => {})
    }
    await done
  }

  async #put(group: readonly Queued[]): Promise<void> {
    const synced = group.some((queued) => queued.durability === 'synced')
    const durability = synced ? 'strict' : 'relaxed'
    const transaction = await this.#connection.transaction(PAIRS, durability)
    const { done } = transaction
    // Reported by the last line; without this, failing before that line would leave it unhandled.
    done.catch(() => {})
    try {
      // A request that fails aborts the transaction, whose error is the one to report.
      for (const request of refuseIfTaken(transaction.store, this.term)) request.catch(() => {})
      for (const { key, value } of group.flatMap(({ writes }) => writes)) {
        const { store } = transaction
        const request = value ? store.put(value, view(key)) : store.delete(view(key))
        request.catch(() => {})
      }
      transaction.commit()
    } catch (error) {
      abort(transaction)
      throw error
    }
    await done
  }

  #errorOf(cause: unknown): PeerplaneError {
    if (!isTaken(cause)) return indexedDbError(cause, 'The write was not acknowledged')
    this.#taken()
    return new PeerplaneError(
      'store-locked',
      'another tab of this browser has taken over the store',
    )
  }
}

const isFull = (error: unknown): boolean =>
  error instanceof DOMException && error.name === 'QuotaExceededError'

/** Takes back what a transaction was asked so far, unless it has ended by itself. */
function abort(transaction: { abort(): void }): void {
  try {
    transaction.abort()
  } catch {
    // It has ended.
  }
}

/** `undefined` for a range that holds nothing, which IndexedDB cannot express. */
function keyRange({ from, to, limit }: Range): IDBKeyRange | undefined {
  if (limit === 0) return undefined
  if (compareBytes(from, to) >= 0) return undefined
  return IDBKeyRange.bound(view(from), view(to), false, true)
}

const entryOf = (key: IDBValidKey, value: unknown): Entry => ({
  key: new Uint8Array(key as ArrayBuffer),
  value: value as Uint8Array,
})

/** The platform's types do not admit shared memory as keys; none of ours are in any. */
const view = (key: Uint8Array): Uint8Array<ArrayBuffer> => key as Uint8Array<ArrayBuffer>
