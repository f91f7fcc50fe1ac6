import { compareBytes } from '@peerplane/core'
import type { Entry, Range } from '@peerplane/core'
import type { IDBPDatabase } from 'idb'

import { ASIDES, newestOf, PAIRS } from './term.ts'
import type { Kept } from './term.ts'

export const readPair = async (
  database: IDBPDatabase,
  key: Uint8Array,
): Promise<Uint8Array | undefined> =>
  (await database.get(PAIRS, view(key))) as Uint8Array | undefined

export async function readPairs(database: IDBPDatabase, range: Range): Promise<readonly Entry[]> {
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
}

/** The value aside of a term. */
export const readAside = async (database: IDBPDatabase, term: number): Promise<Kept | undefined> =>
  newestOf(await Promise.all(ASIDES.map((place) => database.get(place, term))))

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
export const view = (key: Uint8Array): Uint8Array<ArrayBuffer> => key as Uint8Array<ArrayBuffer>
