import { compareBytes } from '@peerplane/core'
import type { Entry, KeyRange } from '@peerplane/core'
import type { IDBPDatabase, IDBPObjectStore } from 'idb'

import { PAIRS } from './term.ts'

type Values = IDBPObjectStore<unknown, [string], string, 'readonly'>

/**
 * Reads in a separate transaction, which is committed immediately. If a hanging tab had an open transaction, this transaction would block the tab
 * that takes over the store.
 */
export async function reading<Result>(
  database: IDBPDatabase,
  place: string,
  read: (values: Values) => Promise<Result>,
): Promise<Result> {
  const transaction = database.transaction(place)
  // Ignored: what fails it fails its requests, too.
  transaction.done.catch(() => {})
  const result = read(transaction.store)
  transaction.commit()
  return result
}

export const readPair = (
  database: IDBPDatabase,
  key: Uint8Array,
): Promise<Uint8Array | undefined> =>
  reading(database, PAIRS, (pairs) => pairs.get(view(key)) as Promise<Uint8Array | undefined>)

/** The pairs of a range, in order. */
export async function readPairs(
  database: IDBPDatabase,
  range: KeyRange,
): Promise<readonly Entry[]> {
  const keys = keyRange(range)
  if (!keys) return []
  const { limit, reverse, ...whole } = range
  if (reverse && limit !== 1) {
    return (await readPairs(database, whole)).toReversed().slice(0, limit)
  }
  if (reverse) {
    // A cursor that goes on could not be committed at once.
    const cursor = await reading(database, PAIRS, (pairs) => pairs.openCursor(keys, 'prev'))
    return cursor ? [entryOf(cursor.primaryKey, cursor.value)] : []
  }
  const [found, values] = await reading(database, PAIRS, (pairs) =>
    Promise.all([pairs.getAllKeys(keys, limit), pairs.getAll(keys, limit)]),
  )
  return found.map((key, i) => entryOf(key, values[i]))
}

/** Counts the pairs in a range. */
export async function countPairs(
  database: IDBPDatabase,
  { from, to }: Pick<KeyRange, 'from' | 'to'>,
): Promise<number> {
  const keys = keyRange({ from, to })
  return keys ? reading(database, PAIRS, (pairs) => pairs.count(keys)) : 0
}

/** Returns `undefined` for an empty range, which IndexedDB cannot express. */
function keyRange({ from, to, limit }: KeyRange): IDBKeyRange | undefined {
  if (limit === 0) return undefined
  if (compareBytes(from, to) >= 0) return undefined
  return IDBKeyRange.bound(view(from), view(to), false, true)
}

const entryOf = (key: IDBValidKey, value: unknown): Entry => ({
  key: new Uint8Array(key as ArrayBuffer),
  value: value as Uint8Array,
})

/** The types of the platform do not allow keys in shared memory. Peerplane keeps no keys in shared memory. */
export const view = (key: Uint8Array): Uint8Array<ArrayBuffer> => key as Uint8Array<ArrayBuffer>
