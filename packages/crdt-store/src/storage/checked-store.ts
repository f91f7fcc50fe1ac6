import { compareBytes, concatBytes, PeerplaneError, toHex } from '@peerplane/core'
import type { Aside, Entry, KeyRange, Store, Write } from '@peerplane/core'

import { checksum, readSum, writeSum } from './checksum.ts'
import { pages } from './pages.ts'

/*
 * Every value is stored behind 8 bytes:
 *
 *   checksum of the key      4 bytes, the most significant first
 *   checksum of the value    the same, with that of the key as its seed
 */

const SUMS = 8

/** How often a read is repeated that misses a pair beside the place where it ended. */
const ATTEMPTS = 3

type Bounds = Pick<KeyRange, 'from' | 'to'>

/** What a read has found, and what it should have found as well. */
interface Looked<T> {
  readonly found: T
  readonly missed: Entry | undefined
}

/** A store from which unreadable pairs can be deleted. */
export interface ClearableStore extends Store {
  /**
   * Deletes all pairs in a range, including damaged pairs, in several steps. If the process ends during `clear`, some of the pairs may remain.
   * Rejects with `store-corrupt` if a pair cannot be deleted.
   */
  clear(range: Bounds): Promise<void>
}

/**
 * Returns a store that passes all calls to `store`, and checks what it reads for damage. A read rejects with `store-corrupt` if a pair differs from
 * the pair that was written.
 *
 * If the key of a pair is damaged, a search for the original key may not find the pair. The checked store detects this case too. A damaged key can
 * mislead a search. In any kind of search tree, this search ends beside the damaged key, because all other keys are in order. So if a search finds no
 * pair, the checked store checks the two keys next to the place where the search ended. SQLite searches an index with copies of the keys. If the copy
 * of a key in the index is damaged, the key itself may still be intact. The intact key then reveals the damage: it is a key that the search should
 * have found, or it is on the wrong side of the place where the search ended.
 */
export function checkedStore(store: Store): ClearableStore {
  /**
   * Reads the pairs on both sides of the place where a search ended. Returns a pair that the search should have found, if there is one. Throws if a
   * pair that is read is damaged.
   */
  const missedOf = async (
    searched: Bounds,
    gaps: readonly KeyRange[],
  ): Promise<Entry | undefined> => {
    const found = await Promise.all(gaps.map((gap) => store.scan(gap)))
    for (const [i, gap] of gaps.entries()) {
      for (const entry of found[i]!) {
        checkKey(entry)
        if (!isIn(entry, gap)) throw damaged(entry.key)
        if (isIn(entry, searched)) return entry
      }
    }
    return undefined
  }
  /**
   * Reads again if a search did not find a pair that exists, because a concurrent write may be the reason. Rejects with `store-corrupt` if no attempt
   * finds the pair.
   */
  const read = async <T>(look: () => Promise<Looked<T>>): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      const { found, missed } = await look()
      if (!missed) return found
      if (attempt === ATTEMPTS) throw damaged(missed.key)
    }
  }
  return {
    get: (key) =>
      read(async () => {
        const sealed = await store.get(key)
        if (sealed) return { found: unseal({ key, value: sealed }).value, missed: undefined }
        const searched = { from: key, to: after(key) }
        return { found: undefined, missed: await missedOf(searched, [before(key), from(key)]) }
      }),
    scan: (range) =>
      read(async () => {
        const pairs = await store.scan(range)
        const found = pairs.map(unseal)
        const stray = found.find((entry) => !isIn(entry, range))
        if (stray) throw damaged(stray.key)
        return { found, missed: await missedOf(range, gapsAround(range, pairs)) }
      }),
    count: (range) => store.count(range),
    write: (writes, durability) => store.write(writes.map(sealWrite), durability),
    clear: (range) => clearRange(store, range),
    ...(store.aside && { aside: checkedAside(store.aside) }),
    ...(store.witness && { witness: store.witness }),
    close: () => store.close(),
  }
}

/** Deletes all pairs of a range, unread. */
export async function clearRange(store: Store, range: Bounds): Promise<void> {
  for await (const page of pages(store, range)) {
    // Of a damaged index SQLite may give numbers and texts, which nothing can be deleted by.
    const stray = page.find(({ key }) => !(key instanceof Uint8Array))
    if (stray) throw damaged(stray.key)
    await store.write(
      page.map(({ key }) => ({ key, value: undefined })),
      'local',
    )
  }
  const [left] = await store.scan({ ...range, limit: 1 })
  if (left) throw damaged(left.key)
}

/** The value of a write as it was before it was sealed. */
export const unsealedWrite = ({ key, value }: Write): Write => ({
  key,
  value: value?.subarray(SUMS),
})

const sealWrite = ({ key, value }: Write): Write => ({ key, value: value && seal(key, value) })

function seal(key: Uint8Array, value: Uint8Array): Uint8Array {
  const sealed = new Uint8Array(SUMS + value.length)
  const ofKey = checksum(key)
  writeSum(sealed, 0, ofKey)
  writeSum(sealed, 4, checksum(value, ofKey))
  sealed.set(value, SUMS)
  return sealed
}

function unseal(entry: Entry): Entry {
  const ofKey = checkKey(entry)
  const value = entry.value.subarray(SUMS)
  if (readSum(entry.value, 4) !== checksum(value, ofKey)) throw damaged(entry.key)
  return { key: entry.key, value }
}

/** Returns the checksum of a key. */
function checkKey({ key, value }: Entry): number {
  // Damage may have changed the type of what SQLite gives.
  const isWhole = key instanceof Uint8Array && value instanceof Uint8Array
  if (!isWhole || value.length < SUMS) throw damaged(key)
  const sum = checksum(key)
  if (readSum(value, 0) !== sum) throw damaged(key)
  return sum
}

/**
 * Returns the ranges that must be undamaged, so that a scan that found these entries is complete: the pair before the entries, and, if the scan had
 * to find all pairs, the pair after the entries.
 */
function gapsAround(range: KeyRange, found: readonly Entry[]): KeyRange[] {
  const { limit = Number.POSITIVE_INFINITY, reverse = false } = range
  if (limit === 0 || compareBytes(range.from, range.to) >= 0) return []
  const isAll = found.length < limit
  const last = found.at(-1)?.key
  if (reverse) return [from(range.to), ...(isAll ? [before(last ?? range.to)] : [])]
  return [before(range.from), ...(isAll ? [from(last ? after(last) : range.from)] : [])]
}

const isIn = ({ key }: Entry, { from: least, to }: Bounds): boolean =>
  compareBytes(key, least) >= 0 && compareBytes(key, to) < 0

const LEAST = new Uint8Array(0)
/** Larger than every key of Peerplane, even a key with one changed bit. */
const BEYOND = new Uint8Array(64).fill(255)

/** The last pair before a key. */
const before = (key: Uint8Array): KeyRange => ({ from: LEAST, to: key, limit: 1, reverse: true })
/** The first pair from a key on. */
const from = (key: Uint8Array): KeyRange => ({ from: key, to: BEYOND, limit: 1 })
/** Returns the smallest key after `key`. */
const after = (key: Uint8Array): Uint8Array => concatBytes(key, Uint8Array.of(0))

/** The value beside the pairs is sealed under the empty key. */
const checkedAside = (aside: Aside): Aside => ({
  get: () => {
    const value = aside.get()
    return value && unseal({ key: LEAST, value }).value
  },
  set: (value) => aside.set(value && seal(LEAST, value)),
})

/** The error names the record by the first bytes of its key. The key itself may be damaged. */
const damaged = (key: unknown): PeerplaneError => {
  const name = key instanceof Uint8Array ? toHex(key.subarray(0, 16)) : 'without a key'
  return new PeerplaneError('store-corrupt', `a record of the store is damaged: ${name}`)
}
