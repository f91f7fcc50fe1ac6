import { limits } from '@peerplane/core'

/*
 * The reads under a lease, for SQLite and for PostgreSQL. Each statement reads the lease and the rows together: it returns no row if the lease
 * is not the latest one that the statement sees, and otherwise at least one row, whose other columns may be null.
 *
 *   $1, $2, $3   the shard, the token and the nonce of the lease
 *   $4           what is read
 *   $5           the number after which events are read
 */

const underLease = (columns: string, joins: string): string =>
  `SELECT ${columns} FROM leases ${joins}
   WHERE leases.shard = $1 AND leases.token = $2 AND leases.nonce = $3`

/** As many events, ordered by `order`, as fit into a page; always the first one. */
const page = (where: string, order: string): string => `LEFT JOIN (
    SELECT entity, number, position, record FROM (
      SELECT entity, number, position, record,
        sum(length(record)) OVER (ORDER BY ${order}) - length(record) AS before
      FROM (SELECT * FROM events WHERE ${where} ORDER BY ${order} LIMIT ${limits.journalGroupRows}) AS next
    ) AS sized WHERE before < ${limits.journalPageBytes}
  ) AS page ON TRUE`

const pageColumns = 'page.entity, page.number, page.position, page.record'

export const readPosition = underLease(
  '(SELECT coalesce(max(position), 0) FROM events WHERE shard = $1) AS position',
  '',
)

export const readSnapshot = underLease(
  'snapshots.number, snapshots.record',
  'LEFT JOIN snapshots ON snapshots.entity = $4',
)

export const readEvents = `${underLease(pageColumns, page('entity = $4 AND number > $5', 'number'))} ORDER BY page.number`

export const readTail = `${underLease(pageColumns, page('shard = $1 AND position > $4', 'position'))} ORDER BY page.position`

export const readCaller = `${underLease(
  'watermarks.n AS watermark, outcomes.n, outcomes.record',
  `LEFT JOIN watermarks ON watermarks.shard = $1 AND watermarks.outbox = $4
   LEFT JOIN outcomes ON outcomes.shard = $1 AND outcomes.outbox = $4`,
)} ORDER BY outcomes.n`
