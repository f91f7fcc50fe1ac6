import { PeerplaneError } from '@peerplane/core'
import { openDB } from 'idb'
import type { IDBPDatabase, IDBPTransaction } from 'idb'

import { indexedDbError } from './indexeddb-errors.ts'

/** A read-write transaction. */
export type WriteTransaction = IDBPTransaction<unknown, string[], 'readwrite'>

/** What the user of a connection decides. */
export interface ConnectionEvents {
  /** There is no database: makes its object stores; `false` if there must be one already and it must not be made. */
  readonly create: (database: IDBPDatabase) => boolean
  /** Looks at each new connection before it is used; throws for a database that is not the one it should be. */
  readonly accept: (database: IDBPDatabase) => Promise<void>
  /** The connection was closed from outside. */
  readonly disconnected: () => void
}

/** A database that stays usable when the browser closes it, as it does after a full disk. Nothing is opened before it is used. */
export class Connection {
  readonly #name: string
  readonly #version: number
  readonly #events: ConnectionEvents
  #current: Promise<IDBPDatabase> | undefined
  #isRefusing = false

  constructor(name: string, version: number, events: ConnectionEvents) {
    this.#name = name
    this.#version = version
    this.#events = events
  }

  /** Runs reads on the open database, a second time on a new connection if the first was closed. Rejects with our errors. */
  async use<Result>(read: (database: IDBPDatabase) => Promise<Result>): Promise<Result> {
    const refused = this.closed()
    if (refused) throw refused
    try {
      return await this.#reconnecting(read)
    } catch (cause) {
      throw indexedDbError(cause, `The database ${this.#name} could not be read`)
    }
  }

  /** Calls `use` with a read-write transaction of exactly this durability, in the turn in which it begins; resolves as `use` does. */
  async transaction<Result>(
    stores: readonly string[],
    durability: 'strict' | 'relaxed',
    use: (transaction: WriteTransaction) => Promise<Result>,
  ): Promise<Result> {
    // In an object, because what goes wrong once the transaction has begun is not tried again.
    const { used } = await this.#reconnecting((database) => ({
      used: use(begin(database, stores, durability)),
    }))
    return used
  }

  /** From now on `use` rejects with `closed`. */
  refuse(): void {
    this.#isRefusing = true
  }

  closed(): PeerplaneError | undefined {
    return this.#isRefusing ? new PeerplaneError('closed', 'the store is closed') : undefined
  }

  close(): void {
    if (this.#current) this.#forget(this.#current)
  }

  async #reconnecting<Result>(
    action: (database: IDBPDatabase) => Result | Promise<Result>,
  ): Promise<Result> {
    const opening = this.#current ?? this.#connect()
    const database = await opening
    try {
      return await action(database)
    } catch (error) {
      if (!isClosedConnection(error)) throw error
      this.#forget(opening)
      return action(await (this.#current ?? this.#connect()))
    }
  }

  #connect(): Promise<IDBPDatabase> {
    const opening = this.#openAccepted(() => {
      this.#forget(opening)
      this.#events.disconnected()
    })
    this.#current = opening
    // Ignored: the caller has it; the next caller opens the database again.
    opening.catch(() => this.#forget(opening))
    return opening
  }

  async #openAccepted(lost: () => void): Promise<IDBPDatabase> {
    const { create, accept } = this.#events
    const database = await openDB(this.#name, this.#version, {
      upgrade: (made, _from, _to, transaction) => {
        if (create(made)) return
        // Ignored: it fails because it is aborted.
        transaction.done.catch(() => undefined)
        transaction.abort()
      },
      // A newer version of the application wants to change the database, or somebody deletes it: they must not wait for this tab.
      blocking: lost,
      terminated: lost,
    })
    try {
      await accept(database)
      return database
    } catch (error) {
      database.close()
      throw error
    }
  }

  #forget(opening: Promise<IDBPDatabase>): void {
    if (this.#current === opening) this.#current = undefined
    // Ignored: what was not opened need not be closed.
    opening.then(
      (database) => database.close(),
      () => {},
    )
  }
}

/** Browsers that do not know durabilities ignore the option; acknowledging such a write would be a promise nobody keeps. */
function begin(
  database: IDBPDatabase,
  stores: readonly string[],
  durability: 'strict' | 'relaxed',
): WriteTransaction {
  const transaction = database.transaction([...stores], 'readwrite', { durability })
  if (transaction.durability === durability) return transaction
  transaction.abort()
  // Ignored: it fails because it was aborted.
  transaction.done.catch(() => {})
  throw new PeerplaneError('unsupported', `this browser has no ${durability} transactions`)
}

/** What `transaction()` throws on a connection that was closed or is closing. */
const isClosedConnection = (error: unknown): boolean =>
  error instanceof DOMException && error.name === 'InvalidStateError'
