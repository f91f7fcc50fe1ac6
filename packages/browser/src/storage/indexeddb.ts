import { PeerplaneError } from '@peerplane/core'
import type {
  Aside,
  Clock,
  Entry,
  KeyRange,
  Store,
  StoreDurability,
  Trace,
  Write,
} from '@peerplane/core'
import { generateKeyPair, systemClock } from '@peerplane/runtime'
import type { IDBPDatabase } from 'idb'

import { asideOf } from './aside.ts'
import { Connection, type WriteTransaction } from './connection.ts'
import { indexedDbError } from './indexeddb-errors.ts'
import { Loss } from './loss.ts'
import { countPairs, readPair, readPairs, view } from './reads.ts'
import { beginTerm, isTaken, PAIRS, refuseIfTaken, takenOver, TERM } from './term.ts'
import type { Begun } from './term.ts'

/** Which database of this origin, and how it is opened. */
export interface IndexedDbStoreOptions {
  readonly name: string
  readonly clock?: Clock
  /** Called when a write has found that the store was opened elsewhere. */
  readonly taken?: () => void
  /** Whether a database that lacks a part is used for what is left. Default false: it is refused. */
  readonly completing?: boolean | undefined
  /** The pair that the device has in memory; it is used where the database has lost its own. Default a new one. */
  readonly pair?: CryptoKeyPair | undefined
  /** The term of the store is larger. Default 0. */
  readonly after?: number | undefined
  /** Called once, when the database was deleted or cleared while it was open. */
  readonly onLost?: ((error: PeerplaneError) => void) | undefined
  /** Called with an event for every write. */
  readonly trace?: Trace | undefined
}

/** A store that keeps the key of the device in the same database, and which opening of the database it is. */
export interface DeviceStore extends Store {
  /** Larger than that of every earlier opening. */
  readonly term: number
  /** Its secret half never leaves the browser: scripts can sign with it, none can read it. A new one is stored with the first write. */
  readonly pair: CryptoKeyPair
  /** Whether it was opened before and holds nothing: it was erased, or nobody has written in it. */
  readonly isVacant: boolean
}

/**
 * A store in one IndexedDB database. Only one tab writes to it: the one that has opened it last. Every write of an earlier opening is refused
 * with `store-locked`, and changes nothing, also if that tab was asleep for a while and knows of nothing.
 *
 * One transaction runs at a time; writes that come meanwhile share the next one. It is `strict` (flushed to the disk before it
 * completes) if any of its writes is `synced`, otherwise `relaxed`. A connection that the browser has closed is opened again.
 *
 * Once somebody has deleted the database or cleared it, nothing is acknowledged: all calls reject with `storage-lost`.
 *
 * Rejects with `store-version`, `store-failed`, `store-corrupt`, `storage-lost`, or `unsupported` where strict transactions do not exist.
 */
export async function openIndexedDbStore(options: IndexedDbStoreOptions): Promise<DeviceStore> {
  const { name, clock = systemClock, completing = false, after = 0 } = options
  const loss = new Loss(name, options.onLost)
  const connection = new Connection(name, 1, {
    create: (database) => loss.create(database),
    accept: (database) => loss.accept(database),
    // Ignored: only to notice a loss, which `accept` reports.
    disconnected: () => void connection.use(async () => {}).catch(() => undefined),
  })
  try {
    const pairs = { remembered: options.pair, fresh: await generateKeyPair() }
    const begun = await beginTerm(connection, { name, clock, completing, after, pairs })
    loss.expect(begun.term)
    return new IndexedDbStore(connection, loss, begun, options)
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

class IndexedDbStore implements DeviceStore {
  readonly term: number
  readonly pair: CryptoKeyPair
  readonly isVacant: boolean
  readonly aside: Aside | undefined
  readonly #connection: Connection
  readonly #loss: Loss
  readonly #taken: () => void
  readonly #trace: Trace | undefined
  #queue: Queued[] = []
  /** Settles, and never rejects, once the queue is empty. */
  #flushing: Promise<void> | undefined

  constructor(
    connection: Connection,
    loss: Loss,
    { term, pair, isVacant }: Begun,
    { name, taken = () => {}, trace }: IndexedDbStoreOptions,
  ) {
    this.#connection = connection
    this.#loss = loss
    this.term = term
    this.pair = pair
    this.isVacant = isVacant
    this.aside = asideOf(name, term)
    this.#taken = taken
    this.#trace = trace
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#read((database) => readPair(database, key))
  }

  scan(range: KeyRange): Promise<readonly Entry[]> {
    return this.#read((database) => readPairs(database, range))
  }

  count(range: Pick<KeyRange, 'from' | 'to'>): Promise<number> {
    return this.#read((database) => countPairs(database, range))
  }

  write(writes: readonly Write[], durability: StoreDurability): Promise<void> {
    // Copied, because the caller may use its arrays again before the transaction begins, and because a view would be stored with all of the
    // buffer that it looks into.
    const copies = writes.map(({ key, value }) => ({ key: key.slice(), value: value?.slice() }))
    return new Promise((resolve, reject) => {
      const refused = this.#connection.closed() ?? this.#loss.error
      if (refused) return reject(refused)
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
        for (const { writes, durability, resolve } of group) {
          this.#trace?.('store.wrote', { writes: writes.length, durability, list: writes })
          resolve()
        }
      } catch (cause) {
        const error = await this.#explain(cause)
        for (const { reject } of group) reject(error)
      }
    }
    this.#flushing = undefined
  }

  async #read<Result>(read: (database: IDBPDatabase) => Promise<Result>): Promise<Result> {
    try {
      return await this.#connection.use(read)
    } catch (error) {
      throw this.#loss.error ?? error
    }
  }

  /** Why a write failed: a transaction is also aborted because its database is being deleted. */
  async #explain(cause: unknown): Promise<PeerplaneError> {
    if (cause instanceof PeerplaneError && cause.code === 'store-locked') {
      this.#taken()
      return cause
    }
    // Ignored: the write's own failure is the one to report.
    await this.#connection.use((database) => this.#loss.accept(database)).catch(() => undefined)
    return this.#loss.error ?? indexedDbError(cause, 'The write was not acknowledged')
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
    const last = await this.#connection.transaction([PAIRS], 'strict', async (transaction) => {
      const { done } = transaction
      // Ignored: it is awaited below, unless something fails before.
      done.catch(() => {})
      const pairs = transaction.objectStore(PAIRS)
      if (await isTaken(pairs, this.term)) throw takenOver()
      const term = pairs.get(TERM)
      // Ignored: it is awaited below; a request that fails aborts the transaction, whose error is the one to report.
      term.catch(() => {})
      for (const { key } of group.flatMap(({ writes }) => writes)) {
        // Ignored: it aborts the transaction.
        pairs.delete(view(key)).catch(() => {})
      }
      await done
      return term
    })
    this.#assertNotLost(last)
  }

  async #put(group: readonly Queued[]): Promise<void> {
    const synced = group.some((queued) => queued.durability === 'synced')
    const last = await this.#connection.transaction(
      [PAIRS],
      synced ? 'strict' : 'relaxed',
      async (transaction) => {
        const { done } = transaction
        // Ignored: it is awaited below, unless something fails before.
        done.catch(() => {})
        const { term, isOver } = this.#request(group, transaction)
        try {
          await done
        } catch (error) {
          throw isOver() ? takenOver() : error
        }
        return term
      },
    )
    this.#assertNotLost(last)
  }

  /**
   * Makes all requests of a write at once, because a transaction that waits for its tab would hold up a successor. Gives the last term, and what
   * tells whether this one was over.
   */
  #request(
    group: readonly Queued[],
    transaction: WriteTransaction,
  ): { readonly term: Promise<unknown>; readonly isOver: () => boolean } {
    try {
      const pairs = transaction.objectStore(PAIRS)
      // Ignored: a request that fails aborts the transaction, whose error is the one to report.
      const ignore = (request: Promise<unknown>): void => void request.catch(() => {})
      // Looked at when all is done: a page that goes away has no other task for the writes.
      const term = pairs.get(TERM)
      ignore(term)
      const isOver = refuseIfTaken(pairs, this.term)
      for (const { key, value } of group.flatMap(({ writes }) => writes)) {
        ignore(value ? pairs.put(value, view(key)) : pairs.delete(view(key)))
      }
      transaction.commit()
      return { term, isOver }
    } catch (error) {
      abort(transaction)
      throw error
    }
  }

  /** What went into a database that was cleared is cleared with the next opening, too. */
  #assertNotLost(term: unknown): void {
    this.#loss.check(term)
    if (this.#loss.error) throw this.#loss.error
  }
}

const isFull = (error: unknown): boolean =>
  error instanceof DOMException && error.name === 'QuotaExceededError'

/** Takes back what a transaction was asked so far, unless it has already ended. */
function abort(transaction: { abort(): void }): void {
  try {
    transaction.abort()
  } catch {
    // Ignored: it has ended.
  }
}
