import type { Clock } from '@peerplane/core'
import type { IDBPObjectStore } from 'idb'

import type { Connection } from './connection.ts'

/*
 * Each opening of a database begins a term. Its write transactions add a record that stands for the term and delete it again; the next opening
 * leaves that record there, so that whatever an earlier one still writes fails as a whole, in the database itself: a tab that was asleep may
 * not know of its successor. Nothing is read for it, because a transaction that waits for its tab would hold up the successor.
 *
 *   pairs         'term'               the last term
 *                 ['over', term]       this term is over
 *                 bytes                the pairs of the store
 *   aside 0 to 3  term                 the value aside, of this term
 */

export const PAIRS = 'pairs'

/**
 * Object stores of their own for the value aside, used in turn: a transaction does not wait for those on the pairs, nor for the ones before
 * it, and when the page ends one that waits is lost.
 */
export const ASIDES = ['aside 0', 'aside 1', 'aside 2', 'aside 3'] as const

/** A value aside. The one with the highest number counts. */
export interface Kept {
  readonly number: number
  readonly value: Uint8Array | undefined
}

const TERM = 'term'

/** No tab sleeps longer than this, in milliseconds. */
const LONGEST_SLEEP_MS = 30 * 24 * 60 * 60 * 1000

/** Begins a term: earlier ones write nothing from here on. The value aside of the last one goes over to it. */
export async function beginTerm(connection: Connection, clock: Clock): Promise<number> {
  const transaction = await connection.transactionOver([PAIRS, ...ASIDES], 'relaxed')
  transaction.done.catch(() => {})
  const pairs = transaction.objectStore(PAIRS)
  const asides = ASIDES.map((place) => transaction.objectStore(place))
  const last = (await pairs.get(TERM)) as number | undefined
  // A time, so that the terms of a database that was deleted do not come again, and old ones can be forgotten.
  const term = Math.max((last ?? 0) + 1, clock.now())
  const kept = last === undefined ? [] : await Promise.all(asides.map((each) => each.get(last)))
  await Promise.all([
    pairs.put(term, TERM),
    pairs.delete(IDBKeyRange.bound(['over', 0], ['over', term - LONGEST_SLEEP_MS])),
    last !== undefined && pairs.put(true, ['over', last]),
    ...asides.map((each) => each.clear()),
  ])
  const newest = newestOf(kept)
  if (newest) await asides[newest.number % asides.length]!.put(newest, term)
  await transaction.done
  return term
}

/** Requests by which a transaction fails as a whole if `term` is over. */
export const refuseIfTaken = (
  pairs: IDBPObjectStore<unknown, [string], string, 'readwrite'>,
  term: number,
): readonly Promise<unknown>[] => [pairs.add(true, ['over', term]), pairs.delete(['over', term])]

/**
 * Throws what {@link refuseIfTaken} makes a transaction fail with, and writes nothing. The transaction waits for this tab: only for where
 * there is no room to write.
 */
export async function assertNotTaken(
  pairs: IDBPObjectStore<unknown, [string], string, 'readwrite'>,
  term: number,
): Promise<void> {
  if ((await pairs.get(['over', term])) !== undefined) {
    throw new DOMException('the term is over', 'ConstraintError')
  }
}

/** Whether a transaction has failed by {@link refuseIfTaken}: nothing else adds. */
export const isTaken = (error: unknown): boolean =>
  error instanceof DOMException && error.name === 'ConstraintError'

export const newestOf = (kept: readonly unknown[]): Kept | undefined =>
  (kept as (Kept | undefined)[])
    .filter((each) => each !== undefined)
    .sort((a, b) => b.number - a.number)[0]
