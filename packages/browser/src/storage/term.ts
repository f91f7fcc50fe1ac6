import { PeerplaneError } from '@peerplane/core'
import type { Clock } from '@peerplane/core'
import type { IDBPObjectStore } from 'idb'

import type { Connection, WriteTransaction } from './connection.ts'

/*
 * Each opening of a database begins a term. Its write transactions add a record that stands for the term and delete it again; the next opening
 * leaves that record there, so that whatever an earlier one still writes fails as a whole, in the database itself: a tab that was asleep may
 * not know of its successor. A transaction also asks for the last term, and looks at the answer when it is done: one that waits for its tab
 * would hold up the successor. A database that was deleted or cleared meanwhile has another term, or none.
 *
 *   pairs         'term'               the last term
 *                 ['over', term]       this term is over
 *                 bytes                the pairs of the store
 *   keys          'device'             the key pair of the device, from the first write on
 *   aside 0 to 3  term                 the value aside, of this term
 */

export const PAIRS = 'pairs'
export const KEYS = 'keys'
export const DEVICE = 'device'

/**
 * Object stores of their own for the value aside, used in turn: a transaction does not wait for those on the pairs, nor for the ones before
 * it, and when the page ends one that waits is lost.
 */
export const ASIDES = ['aside 0', 'aside 1', 'aside 2', 'aside 3'] as const

/** A value aside. The one with the highest number counts. */
export interface Kept {
  readonly number: number
  readonly value: Uint8Array | undefined
  /** The key pair of the device while it is nowhere else: only it can sign what is kept here. */
  readonly pair?: CryptoKeyPair | undefined
}

export const TERM = 'term'

/** No tab sleeps longer than this, in milliseconds. */
const LONGEST_SLEEP_MS = 30 * 24 * 60 * 60 * 1000

/** All pairs of the store: their keys are bytes, which lie between texts and lists. */
export const allPairs = (): IDBKeyRange => IDBKeyRange.bound(new Uint8Array(0), [], false, true)

/** What a term begins with. */
export interface Begun {
  readonly term: number
  /** The key pair of the device that the database holds. */
  readonly pair: CryptoKeyPair | undefined
  /** Whether the pair is where it stays. */
  readonly isPairStored: boolean
  /** Whether it has had a term and holds nothing: it was erased, or nobody has written in it. */
  readonly isVacant: boolean
}

/** How a term begins. */
export interface BeginOptions {
  readonly clock: Clock
  /** Whether a database without a term that holds something is used; its pairs are deleted. Otherwise it is refused. */
  readonly completing: boolean
  /** The new term is larger. */
  readonly after: number
}

/**
 * Begins a term: earlier ones write nothing from here on. The value aside of the last one goes over to it. Throws `storage-lost` for a
 * database that was cleared and has been written to since, or was cleared in part.
 */
export function beginTerm(connection: Connection, options: BeginOptions): Promise<Begun> {
  return connection.transaction([PAIRS, KEYS, ...ASIDES], 'relaxed', (transaction) =>
    beginIn(transaction, options),
  )
}

async function beginIn(
  transaction: WriteTransaction,
  { clock, completing, after }: BeginOptions,
): Promise<Begun> {
  // Ignored: it is awaited below, unless something fails before.
  transaction.done.catch(() => {})
  const pairs = transaction.objectStore(PAIRS)
  const asides = ASIDES.map((place) => transaction.objectStore(place))
  const [last, pair, pairCount, ...asideCounts] = await Promise.all([
    pairs.get(TERM) as Promise<number | undefined>,
    transaction.objectStore(KEYS).get(DEVICE) as Promise<CryptoKeyPair | undefined>,
    pairs.count(allPairs()),
    ...asides.map((each) => each.count()),
  ])
  const isEmpty = pair === undefined && pairCount === 0 && asideCounts.every((count) => count === 0)
  if (last === undefined && !isEmpty && !completing) {
    transaction.abort()
    throw cleared()
  }
  // A time, so that the terms of a database that was deleted do not come again, and old ones can be forgotten.
  const term = Math.max((last ?? 0) + 1, after + 1, clock.now())
  const kept = last === undefined ? [] : await Promise.all(asides.map((each) => each.get(last)))
  const newest = newestOf(kept)
  await Promise.all([
    last === undefined && pairs.delete(allPairs()),
    pairs.put(term, TERM),
    pairs.delete(IDBKeyRange.bound(['over', 0], ['over', term - LONGEST_SLEEP_MS])),
    last !== undefined && pairs.put(true, ['over', last]),
    ...asides.map((each) => each.clear()),
  ])
  if (newest) await asides[newest.number % asides.length]!.put(newest, term)
  await transaction.done
  return {
    term,
    pair: pair ?? newest?.pair,
    isPairStored: pair !== undefined,
    isVacant: isEmpty && last !== undefined,
  }
}

/** The error for a database that holds something, and not the term that was begun in it. */
export const cleared = (): PeerplaneError =>
  new PeerplaneError('storage-lost', 'a part of the database was cleared')

type Pairs = IDBPObjectStore<unknown, string[], typeof PAIRS, 'readwrite'>

/**
 * Makes the requests by which a transaction fails as a whole if `term` is over. Returns what tells, when it has failed, whether that was why: the
 * request knows before the transaction does.
 */
export function refuseIfTaken(pairs: Pairs, term: number): () => boolean {
  let isOver = false
  pairs.add(true, over(term)).catch((error: unknown) => {
    isOver = isConflict(error)
  })
  // Ignored: it aborts the transaction, whose error is the one to report.
  pairs.delete(over(term)).catch(() => {})
  return () => isOver
}

/** Whether `term` is over. The transaction waits for this tab: only for where there is no room to write. */
export const isTaken = async (pairs: Pairs, term: number): Promise<boolean> =>
  (await pairs.get(over(term))) !== undefined

/** Nothing else adds. */
const isConflict = (error: unknown): boolean =>
  error instanceof DOMException && error.name === 'ConstraintError'

/** The error for a store that another opening has taken over. */
export const takenOver = (): PeerplaneError =>
  new PeerplaneError('store-locked', 'another tab of this browser has taken over the store')

/** The key of the record that says that `term` is over. */
export const over = (term: number): [string, number] => ['over', term]

export const newestOf = (kept: readonly unknown[]): Kept | undefined =>
  (kept as (Kept | undefined)[])
    .filter((each) => each !== undefined)
    .sort((a, b) => b.number - a.number)[0]
