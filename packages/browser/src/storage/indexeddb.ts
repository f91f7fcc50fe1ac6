import { compareBytes } from '@peerplane/core'
import type {
  Aside,
  Entry,
  PeerplaneError,
  Range,
  Store,
  StoreDurability,
  Write,
} from '@peerplane/core'
import type { IDBPDatabase } from 'idb'

import { createConnection } from './connection.ts'
import type { Connection } from './connection.ts'
import { indexedDbError } from './indexeddb-errors.ts'

/** Which database of this origin. */
export interface IndexedDbStoreOptions {
  readonly name: string
}

/**
 * A store in one IndexedDB database. Only one tab may have it open: the one that leads.
 *
 * One transaction is under way at a time; writes that come meanwhile share the next one. It is `strict` (flushed to the disk before it
 * completes) if any of its writes is `synced`, otherwise `relaxed`. A connection that the browser has closed is opened again.
 *
 * Rejects with `store-version`, `store-failed`, `store-corrupt`, or `unsupported` where strict transactions do not exist.
 */
export async function openIndexedDbStore({ name }: IndexedDbStoreOptions): Promise<Store> {
  const connection = createConnection(name, 1, (database) => {
    database.createObjectStore(PAIRS)
    for (const place of ASIDES) database.createObjectStore(place)
  })
  await connection.use(async () => {})
  return new IndexedDbStore(connection)
}

const PAIRS = 'pairs'
/**
 * Object stores of their own for the value aside, used in turn: a transaction does not wait for those on the pairs, nor for the ones before
 * it, and when the page ends one that waits is lost.
 */
const ASIDES = ['aside 0', 'aside 1', 'aside 2', 'aside 3'] as const

interface Kept {
  readonly number: number
  readonly value: Uint8Array | undefined
}

interface Queued {
  readonly writes: readonly Write[]
  readonly durability: StoreDurability
  readonly resolve: () => void
  readonly reject: (error: PeerplaneError) => void
}

class IndexedDbStore implements Store {
  readonly #connection: Connection
  #queue: Queued[] = []
  /** Settles, and never rejects, when nothing is queued any more. */
  #flushing: Promise<void> | undefined
  #asides = 0

  constructor(connection: Connection) {
    this.#connection = connection
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
        store.put({ number, value: value?.slice() }, 0).catch(() => {})
        transaction.commit()
        await done
      } catch (cause) {
        throw indexedDbError(cause, 'The write was not acknowledged')
      }
    },
  }

  async #newestAside(database: IDBPDatabase): Promise<Uint8Array | undefined> {
    const found = await Promise.all(ASIDES.map((place) => database.get(place, 0)))
    const kept = (found as (Kept | undefined)[]).filter((each) => each !== undefined)
    const newest = kept.sort((a, b) => b.number - a.number)[0]
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
        const error = indexedDbError(cause, 'The write was not acknowledged')
        for (const { reject } of group) reject(error)
      }
    }
    this.#flushing = undefined
  }

  async #transact(group: readonly Queued[]): Promise<void> {
    const synced = group.some((queued) => queued.durability === 'synced')
    const durability = synced ? 'strict' : 'relaxed'
    const transaction = await this.#connection.transaction(PAIRS, durability)
    const { done } = transaction
    // Reported by the last line; without this, failing before that line would leave it unhandled.
    done.catch(() => {})
    try {
      const requests = group
        .flatMap(({ writes }) => writes)
        .map(({ key, value }) =>
          value ? transaction.store.put(value, view(key)) : transaction.store.delete(view(key)),
        )
      // A request that fails aborts the transaction, whose error is the one to report.
      void Promise.allSettled(requests)
      transaction.commit()
    } catch (error) {
      abort(transaction)
      throw error
    }
    await done
  }
}

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
