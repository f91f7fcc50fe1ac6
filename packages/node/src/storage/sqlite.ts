import { nextTick } from 'node:process'
import type { DatabaseSync } from 'node:sqlite'

import { PeerplaneError } from '@peerplane/core'
import type { Entry, KeyRange, Store, StoreDurability, Trace, Write } from '@peerplane/core'

import { option, takeOptions } from '@peerplane/runtime'

import { FileWitness } from './file-witness.ts'
import { InPlace } from './in-place.ts'
import { openDatabase, witnessFile } from './sqlite-database.ts'
import { isIoError, storeError } from './sqlite-errors.ts'

/** Options for opening a SQLite store. */
export interface SqliteStoreOptions {
  /** The path of the database file. The file is created if it does not exist; its directory must exist. */
  readonly path: string
  /**
   * Whether to create a new database file if the old one is missing, but other files of the same store are left. Default: false, so opening a store
   * whose database file is missing fails.
   */
  readonly completing?: boolean | undefined
  /** Called with an event for every write. */
  readonly trace?: Trace | undefined
}

/**
 * Opens a store in one SQLite file, which only one process may have open.
 *
 * All writes of one turn of the event loop share a transaction. A transaction with a `synced` write uses `synchronous=FULL`: the write-ahead log is
 * flushed before the write is acknowledged. A transaction with only `local` writes uses `synchronous=NORMAL`, without a flush. Writes without a flush
 * survive the death of the process, because the operating system already has the data. The next `synced` transaction flushes earlier `local` writes
 * too, because they precede it in the write-ahead log.
 *
 * SQLite runs on the calling thread. A transaction blocks the calling thread while the disk flushes. After about every 4 MiB of writes, a transaction
 * blocks the calling thread longer, because SQLite makes a checkpoint.
 *
 * After the database file was deleted, moved or replaced, writes reject with `storage-lost`; reads still work.
 *
 * Rejects with `store-locked`, `store-corrupt`, `storage-lost`, `store-version`, `store-full`, `store-failed`, `invalid-input`, or `unsupported` if
 * SQLite is too old.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const {
    path = '',
    completing = false,
    trace,
  } = takeOptions<SqliteStoreOptions>(options, {
    path: option.text,
    completing: option.switch,
    trace: option.callback<Trace>(),
  })
  if (path === '') throw new PeerplaneError('invalid-input', 'a store has a path')
  const database = await openDatabase(path, completing)
  return new SqliteStore(database, new InPlace(path), new FileWitness(witnessFile(path)), trace)
}

interface Queued {
  readonly writes: readonly Write[]
  readonly durability: StoreDurability
  readonly resolve: () => void
  readonly reject: (error: PeerplaneError) => void
}

const QUERY = 'SELECT key, value FROM pairs WHERE key >= ? AND key < ? ORDER BY key'

class SqliteStore implements Store {
  readonly witness: FileWitness
  readonly #database: DatabaseSync
  readonly #inPlace: InPlace
  readonly #trace: Trace | undefined
  readonly #statements
  #queue: Queued[] = []
  #synchronous: 'FULL' | 'NORMAL' = 'FULL'
  /** Whether the write-ahead log may contain transactions that were not flushed. At first, these may be transactions of a process that was killed. */
  #unflushed = true
  /** After a failed flush, or without its file, nobody knows what the disk holds: nothing more is written until the store is opened again. */
  #broken: PeerplaneError | undefined

  constructor(
    database: DatabaseSync,
    inPlace: InPlace,
    witness: FileWitness,
    trace: Trace | undefined,
  ) {
    this.#database = database
    this.#inPlace = inPlace
    this.witness = witness
    this.#trace = trace
    this.#statements = {
      get: database.prepare('SELECT value FROM pairs WHERE key = ?'),
      forward: database.prepare(`${QUERY} LIMIT ?`),
      reverse: database.prepare(`${QUERY} DESC LIMIT ?`),
      count: database.prepare('SELECT count(*) AS count FROM pairs WHERE key >= ? AND key < ?'),
      put: database.prepare(
        'INSERT INTO pairs VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
      ),
      delete: database.prepare('DELETE FROM pairs WHERE key = ?'),
      touch: database.prepare('UPDATE flushes SET count = count + 1'),
      begin: database.prepare('BEGIN IMMEDIATE'),
      commit: database.prepare('COMMIT'),
    }
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const row = this.#read(() => this.#statements.get.get(key))
    return row?.['value'] as Uint8Array | undefined
  }

  async scan({ from, to, limit = -1, reverse = false }: KeyRange): Promise<readonly Entry[]> {
    const statement = reverse ? this.#statements.reverse : this.#statements.forward
    return this.#read(() => statement.all(from, to, limit)) as unknown as readonly Entry[]
  }

  async count({ from, to }: Pick<KeyRange, 'from' | 'to'>): Promise<number> {
    return this.#read(() => this.#statements.count.get(from, to))!['count'] as number
  }

  write(writes: readonly Write[], durability: StoreDurability): Promise<void> {
    const copies = writes.map(({ key, value }) => ({ key: key.slice(), value: value?.slice() }))
    return new Promise((resolve, reject) => {
      const refused = this.#broken ?? this.#closed()
      if (refused) return reject(refused)
      // The tick after all that this turn still does: whatever it writes joins the transaction, and an idle writer does not wait.
      if (this.#queue.length === 0) nextTick(() => this.#flush())
      this.#queue.push({ writes: copies, durability, resolve, reject })
    })
  }

  async close(): Promise<void> {
    if (!this.#database.isOpen) return
    this.#flush()
    this.witness.close()
    this.#database.close()
  }

  #flush(): void {
    const queue = this.#queue.splice(0)
    if (queue.length === 0) return
    try {
      if (this.#broken) throw this.#broken
      this.#transact(queue)
      this.#broken = this.#inPlace.loss()
      if (this.#broken) throw this.#broken
    } catch (cause) {
      const error = storeError(cause, 'The write was not acknowledged')
      if (isIoError(cause)) this.#broken = error
      for (const { reject } of queue) reject(error)
      return
    }
    for (const { writes, durability, resolve } of queue) {
      this.#trace?.('store.wrote', { writes: writes.length, durability, list: writes })
      resolve()
    }
  }

  #transact(queue: readonly Queued[]): void {
    const synced = queue.some(({ durability }) => durability === 'synced')
    this.#setSynchronous(synced ? 'FULL' : 'NORMAL')
    this.#statements.begin.run()
    try {
      for (const { writes } of queue) for (const write of writes) this.#apply(write)
      // SQLite writes and flushes nothing for a transaction that changes nothing, such as a `synced` write of what a `local` one wrote before.
      if (synced && this.#unflushed) this.#statements.touch.run()
      this.#statements.commit.run()
      this.#unflushed = !synced
    } catch (error) {
      this.#rollBack()
      throw error
    }
  }

  #rollBack(): void {
    try {
      // SQLite has rolled back already after most failures.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
    } catch {
      // Ignored: the failure before it says more; the next transaction will not begin.
    }
  }

  #apply({ key, value }: Write): void {
    if (value) this.#statements.put.run(key, value)
    else this.#statements.delete.run(key)
  }

  /** Setting the mode costs 2 microseconds, and can save a flush. */
  #setSynchronous(mode: 'FULL' | 'NORMAL'): void {
    if (mode === this.#synchronous) return
    this.#database.exec(`PRAGMA synchronous=${mode}`)
    // Prepared each time: a prepared statement would give the setting at the time when it was prepared.
    const found = this.#database.prepare('PRAGMA synchronous').get()?.['synchronous']
    if (found !== (mode === 'FULL' ? 2 : 1)) {
      throw new PeerplaneError('store-failed', `SQLite did not set synchronous=${mode}`)
    }
    this.#synchronous = mode
  }

  #read<Result>(query: () => Result): Result {
    const closed = this.#closed()
    if (closed) throw closed
    try {
      return query()
    } catch (cause) {
      throw storeError(cause, 'The store could not be read')
    }
  }

  #closed(): PeerplaneError | undefined {
    return this.#database.isOpen ? undefined : new PeerplaneError('closed', 'the store is closed')
  }
}
