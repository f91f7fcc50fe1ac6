import { PeerplaneError } from '@peerplane/core'
import type { Clock } from '@peerplane/core'
import type { IDBPObjectStore } from 'idb'

import { clearAsides, copyAside } from './aside.ts'
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
 *   keys          'device'             the key pair of the device
 */

export const PAIRS = 'pairs'
export const KEYS = 'keys'
export const DEVICE = 'device'

export const TERM = 'term'

/** No tab sleeps longer than this, in milliseconds. */
const LONGEST_SLEEP_MS = 30 * 24 * 60 * 60 * 1000

/** All pairs of the store: their keys are bytes, which lie between texts and lists. */
export const allPairs = (): IDBKeyRange => IDBKeyRange.bound(new Uint8Array(0), [], false, true)

/** What a term begins with. */
export interface Begun {
  readonly term: number
  /** The key pair of the device, which the database holds. */
  readonly pair: CryptoKeyPair
  /** Whether the database has had a term and holds no pairs: it was erased, or nobody has written in it. */
  readonly isVacant: boolean
}

/** How a term begins. */
export interface BeginOptions {
  /** Of the database. */
  readonly name: string
  readonly clock: Clock
  /** Whether a database without a term that holds something is used; its pairs are deleted. Otherwise it is refused. */
  readonly completing: boolean
  /** The new term is larger. */
  readonly after: number
  /** For a database without a key pair: the one to restore, unless it was erased, and a new one. */
  readonly pairs: { readonly remembered: CryptoKeyPair | undefined; readonly fresh: CryptoKeyPair }
}

/**
 * Begins a term: earlier ones write nothing from here on. The value aside of the last one goes over to it. Throws `storage-lost` for a
 * database that was cleared and has been written to since, or was cleared in part.
 */
export async function beginTerm(connection: Connection, options: BeginOptions): Promise<Begun> {
  const begun = await connection.transaction([PAIRS, KEYS], 'relaxed', (transaction) =>
    beginIn(transaction, options),
  )
  clearAsides(options.name, begun.term)
  return begun
}

async function beginIn(
  transaction: WriteTransaction,
  { name, clock, completing, after, pairs: { remembered, fresh } }: BeginOptions,
): Promise<Begun> {
  // Ignored: it is awaited below, unless something fails before.
  transaction.done.catch(() => {})
  const pairs = transaction.objectStore(PAIRS)
  const keys = transaction.objectStore(KEYS)
  const [last, stored, pairCount] = await Promise.all([
    pairs.get(TERM) as Promise<number | undefined>,
    keys.get(DEVICE) as Promise<CryptoKeyPair | undefined>,
    pairs.count(allPairs()),
  ])
  if (last === undefined && (stored !== undefined || pairCount > 0) && !completing) {
    transaction.abort()
    throw cleared()
  }
  // A time, so that the terms of a database that was deleted do not come again, and old ones can be forgotten.
  const term = Math.max((last ?? 0) + 1, after + 1, clock.now())
  const isVacant = last !== undefined && pairCount === 0
  const pair = stored ?? (isVacant ? undefined : remembered) ?? fresh
  await Promise.all([
    last === undefined && pairs.delete(allPairs()),
    pairs.put(term, TERM),
    pairs.delete(IDBKeyRange.bound(['over', 0], ['over', term - LONGEST_SLEEP_MS])),
    last !== undefined && pairs.put(true, ['over', last]),
    stored === undefined && keys.put(pair, DEVICE),
  ])
  // Before it is committed, so that it is there whichever term turns out to be the last.
  if (last !== undefined) copyAside(name, last, term)
  await transaction.done
  return { term, pair, isVacant }
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
