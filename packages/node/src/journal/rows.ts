import {
  fromUtf8,
  PeerplaneError,
  type EntityKey,
  type JournalCaller,
  type JournalEvent,
  type JournalSnapshot,
  type SessionId,
  type UnderLease,
} from '@peerplane/core'

/** A row as the database returns it. */
export type JournalRow = Readonly<Record<string, unknown>>

/** What the rows of a read under a lease say: without a row, the lease no longer holds. */
export function underLease<T>(
  rows: readonly JournalRow[],
  value: (rows: readonly JournalRow[]) => T,
): UnderLease<T> {
  return rows.length === 0 ? { outcome: 'fenced' } : { outcome: 'read', value: value(rows) }
}

export const positionOf = ([row]: readonly JournalRow[]): number => whole(row?.['position'])

export function snapshotOf([row]: readonly JournalRow[]): JournalSnapshot | undefined {
  if (row?.['number'] === null) return undefined
  return { number: whole(row?.['number']), record: bytes(row?.['record']) }
}

export const eventsOf = (rows: readonly JournalRow[]): readonly JournalEvent[] =>
  rows
    .filter((row) => row['number'] !== null)
    .map((row) => ({
      entity: fromUtf8(bytes(row['entity'])) as EntityKey,
      number: whole(row['number']),
      position: whole(row['position']),
      record: bytes(row['record']),
    }))

export const callerOf =
  (outbox: SessionId) =>
  (rows: readonly JournalRow[]): JournalCaller => ({
    watermark: whole(rows[0]?.['watermark'] ?? 0),
    outcomes: rows
      .filter((row) => row['n'] !== null)
      .map((row) => ({ outbox, n: whole(row['n']), record: bytes(row['record']) })),
  })

/** Numbers of PostgreSQL may come as text, because its integers are larger than safe ones. */
export function whole(value: unknown): number {
  const number = typeof value === 'string' ? Number(value) : value
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) throw damaged('a number')
  return number
}

export function bytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw damaged('bytes')
  // A Buffer of `pg` may be a view into a larger one.
  return new Uint8Array(value)
}

const damaged = (what: string): PeerplaneError =>
  new PeerplaneError('store-corrupt', `a row of the journal lacks ${what}`)
