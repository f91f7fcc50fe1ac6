import { PeerplaneError, toHex } from '@peerplane/core'
import { signingKeyOf, type ReadableStore } from '@peerplane/runtime'
import { deleteDB, openDB } from 'idb'
import type { IDBPDatabase } from 'idb'

import { asideOf, clearAsides } from './aside.ts'
import { indexedDbError } from './indexeddb-errors.ts'
import { countPairs, reading, readPair, readPairs } from './reads.ts'
import { allPairs, cleared, DEVICE, KEYS, over, PAIRS, TERM } from './term.ts'

/** Reads a database that may be open elsewhere, where it disturbs nobody, with `use`. */
export async function readStored<Result>(
  name: string,
  use: (store: ReadableStore) => Promise<Result>,
): Promise<Result> {
  const database = await openExisting(name)
  if (!database) throw new PeerplaneError('store-failed', `there is no database ${name}`)
  try {
    const [last, stored, pairs] = await Promise.all([
      reading(database, PAIRS, (pairs) => pairs.get(TERM)) as Promise<number | undefined>,
      reading(database, KEYS, (keys) => keys.get(DEVICE)) as Promise<CryptoKeyPair | undefined>,
      reading(database, PAIRS, (each) => each.count(allPairs())),
    ])
    if (last === undefined && (stored !== undefined || pairs > 0)) throw cleared()
    const key = stored && (await signingKeyOf(stored))
    return await use({
      store: {
        get: (each) => readPair(database, each),
        scan: (range) => readPairs(database, range),
        count: (range) => countPairs(database, range),
        ...(last !== undefined && { aside: asideOf(name, last) }),
        write: refuse,
        close: refuse,
      },
      device: key && toHex(key.publicKey),
    })
  } catch (cause) {
    throw indexedDbError(cause, `The database ${name} could not be read`)
  } finally {
    database.close()
  }
}

const refuse = async (): Promise<never> => {
  throw new PeerplaneError('closed', 'this store is only read')
}

/**
 * Deletes all that a database holds. A tab that has it open writes nothing from then on, and finds it empty when it opens it again. The record
 * of the last term stays, because a deleted database would look like a lost one.
 */
export async function eraseStored(name: string): Promise<void> {
  // Ignored: what cannot be opened is deleted as it is.
  const database = await openExisting(name).catch(() => undefined)
  if (!database) {
    clearAsides(name)
    return deleteDB(name)
  }
  try {
    await clear(database)
  } catch (error) {
    if (indexedDbError(error, '').code !== 'store-corrupt') throw error
    database.close()
    // Nothing has it open: what lacks an object store cannot be opened.
    await deleteDB(name)
  } finally {
    clearAsides(name)
    database.close()
  }
}

async function clear(database: IDBPDatabase): Promise<void> {
  const transaction = database.transaction([PAIRS, KEYS], 'readwrite', {
    durability: 'strict',
  })
  // Ignored: it is awaited below, unless something fails before.
  transaction.done.catch(() => {})
  const pairs = transaction.objectStore(PAIRS)
  const last = (await pairs.get(TERM)) as number | undefined
  const stores = [PAIRS, KEYS].map((place) => transaction.objectStore(place))
  await Promise.all(stores.map((store) => store.clear()))
  // A term of nobody: what the last one still keeps aside does not go over to the next.
  if (last !== undefined) {
    await Promise.all([pairs.put(last + 1, TERM), pairs.put(true, over(last))])
  }
  await transaction.done
}

/** `undefined` if there is none; none is made. */
async function openExisting(name: string): Promise<IDBPDatabase | undefined> {
  let isNew = false
  try {
    const database = await openDB(name, 1, {
      upgrade: (_database, _from, _to, transaction) => {
        isNew = true
        // Ignored: it fails because it is aborted.
        transaction.done.catch(() => undefined)
        transaction.abort()
      },
      blocking: (_from, _to, event) => (event.currentTarget as IDBDatabase).close(),
    })
    return database
  } catch (error) {
    if (isNew) return undefined
    throw error
  }
}
