import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'

import {
  fromHex,
  JOURNAL_SHARDS,
  limits,
  PeerplaneError,
  toHex,
  utf8,
  type Appended,
  type LeaseClaim,
  type Clock,
  type EntityKey,
  type Journal,
  type JournalCaller,
  type JournalEvent,
  type JournalGroup,
  type JournalSnapshot,
  type Lease,
  type Random,
  type SessionId,
  type UnderLease,
} from '@peerplane/core'

import { configure, set } from '../storage/sqlite-database.ts'
import { storeError } from '../storage/sqlite-errors.ts'
import { checkGroup } from './group.ts'
import { readCaller, readEvents, readPosition, readSnapshot, readTail } from './reads.ts'
import {
  bytes,
  callerOf,
  eventsOf,
  positionOf,
  snapshotOf,
  underLease,
  whole,
  type JournalRow,
} from './rows.ts'

export interface SqliteJournalOptions {
  readonly path: string
  /** How long a write waits for another program that writes to the file. */
  readonly busyMs?: number
  readonly clock: Clock
  readonly random: Random
}

const TABLE_VERSION = 1

/** Opens a journal in a file of its own, and makes its tables if they do not exist. Rejects as the opening of a store does. */
export async function openSqliteJournal(options: SqliteJournalOptions): Promise<Journal> {
  const database = new DatabaseSync(options.path, { timeout: options.busyMs ?? limits.journalMs })
  try {
    set(database, 'journal_mode', 'wal')
    configure(database)
    return new SqliteJournal(database, prepare(database, options), options)
  } catch (cause) {
    database.close()
    throw storeError(cause, `the journal ${options.path} could not be opened`)
  }
}

function prepare(database: DatabaseSync, { path, random }: SqliteJournalOptions): string {
  database.exec('BEGIN IMMEDIATE')
  const version = whole(database.prepare('PRAGMA user_version').get()?.['user_version'])
  if (version > TABLE_VERSION) {
    throw new PeerplaneError('store-version', `${path} has journal version ${version}`)
  }
  if (version === 0) makeTables(database, random)
  database.exec('COMMIT')
  return toHex(bytes(database.prepare('SELECT id FROM journal').get()?.['id']))
}

function makeTables(database: DatabaseSync, random: Random): void {
  database.exec(`
    CREATE TABLE journal (id BLOB NOT NULL) STRICT;
    CREATE TABLE leases (shard INTEGER PRIMARY KEY, token INTEGER NOT NULL, nonce BLOB NOT NULL,
      holder TEXT NOT NULL, until INTEGER NOT NULL) STRICT;
    CREATE TABLE events (entity BLOB NOT NULL, number INTEGER NOT NULL, shard INTEGER NOT NULL,
      position INTEGER NOT NULL, record BLOB NOT NULL,
      PRIMARY KEY (entity, number), UNIQUE (shard, position)) STRICT;
    CREATE TABLE outcomes (shard INTEGER NOT NULL, outbox BLOB NOT NULL, n INTEGER NOT NULL,
      record BLOB NOT NULL, PRIMARY KEY (shard, outbox, n)) STRICT;
    CREATE TABLE watermarks (shard INTEGER NOT NULL, outbox BLOB NOT NULL, n INTEGER NOT NULL,
      PRIMARY KEY (shard, outbox)) STRICT, WITHOUT ROWID;
    CREATE TABLE snapshots (entity BLOB PRIMARY KEY NOT NULL, number INTEGER NOT NULL,
      record BLOB NOT NULL) STRICT;
    PRAGMA user_version = ${TABLE_VERSION}`)
  database.prepare('INSERT INTO journal VALUES (?)').run(random.bytes(16))
  const lease = database.prepare("INSERT INTO leases VALUES (?, 0, x'', '', 0)")
  for (let shard = 0; shard < JOURNAL_SHARDS; shard++) lease.run(shard)
}

type Statements = Readonly<Record<keyof typeof texts, StatementSync>>

const texts = {
  claim: `UPDATE leases SET token = token + 1, nonce = ?3, holder = ?2, until = ?5
    WHERE shard = ?1 AND (holder = ?2 OR until <= ?4) RETURNING token`,
  holder: 'SELECT holder FROM leases WHERE shard = ?1',
  until: 'UPDATE leases SET until = ?4 WHERE shard = ?1 AND token = ?2 AND nonce = ?3',
  release:
    "UPDATE leases SET until = 0, holder = '' WHERE shard = ?1 AND token = ?2 AND nonce = ?3",
  fence: 'SELECT 1 FROM leases WHERE shard = ?1 AND token = ?2 AND nonce = ?3 AND until > ?4',
  event: 'INSERT INTO events (shard, entity, number, position, record) VALUES (?, ?, ?, ?, ?)',
  outcome: 'INSERT INTO outcomes (shard, outbox, n, record) VALUES (?, ?, ?, ?)',
  watermark: `INSERT INTO watermarks (shard, outbox, n) VALUES (?, ?, ?)
    ON CONFLICT (shard, outbox) DO UPDATE SET n = excluded.n WHERE n < excluded.n`,
  forget: 'DELETE FROM outcomes WHERE shard = ? AND outbox = ? AND n <= ?',
  snapshot: `INSERT INTO snapshots (entity, number, record) VALUES (?, ?, ?)
    ON CONFLICT (entity) DO UPDATE SET number = excluded.number, record = excluded.record
    WHERE number < excluded.number`,
  readPosition: numbered(readPosition),
  readSnapshot: numbered(readSnapshot),
  readEvents: numbered(readEvents),
  readTail: numbered(readTail),
  readCaller: numbered(readCaller),
} as const

/** A statement with the parameters of PostgreSQL, as SQLite wants them. */
function numbered(sql: string): string {
  return sql.replaceAll(/\$(\d)/g, '?$1')
}

/** A journal in SQLite. All calls are executed at once, one transaction after the other. */
class SqliteJournal implements Journal {
  readonly id: string
  readonly #database: DatabaseSync
  readonly #clock: Clock
  readonly #random: Random
  readonly #statements: Statements
  #isClosed = false

  constructor(
    database: DatabaseSync,
    id: string,
    { clock, random }: Pick<SqliteJournalOptions, 'clock' | 'random'>,
  ) {
    this.id = id
    this.#database = database
    this.#clock = clock
    this.#random = random
    this.#statements = Object.fromEntries(
      Object.entries(texts).map(([name, sql]) => [name, database.prepare(sql)]),
    ) as Statements
  }

  async claim(shard: number, holder: string, ms: number): Promise<LeaseClaim> {
    return this.#write((sql) => {
      const nonce = this.#random.bytes(16)
      const now = this.#clock.now()
      const row = sql.claim.get(shard, holder, nonce, now, now + ms)
      if (row) {
        return { outcome: 'claimed', lease: { shard, token: whole(row['token']), nonce } }
      }
      return { outcome: 'held', holder: String(sql.holder.get(shard)?.['holder']) }
    })
  }

  async renew(lease: Lease, ms: number): Promise<boolean> {
    return this.#write((sql) => {
      const { changes } = sql.until.run(...fields(lease), this.#clock.now() + ms)
      return Number(changes) === 1
    })
  }

  async release(lease: Lease): Promise<void> {
    this.#write((sql) => sql.release.run(...fields(lease)))
  }

  async append(lease: Lease, group: JournalGroup): Promise<Appended> {
    checkGroup(group)
    this.#requireOpen()
    const isHeld = this.#begin(() => {
      const sql = this.#statements
      if (!sql.fence.get(...fields(lease), this.#clock.now())) return false
      insert(sql, lease.shard, group)
      return true
    })
    try {
      this.#database.exec('COMMIT')
    } catch (cause) {
      // If the flush has failed, the rows may be there when the file is next opened.
      this.#rollback()
      return { outcome: 'unknown', cause: storeError(cause, 'the journal could not be written') }
    }
    return { outcome: isHeld ? 'written' : 'fenced' }
  }

  async position(lease: Lease): Promise<UnderLease<number>> {
    return underLease(this.#read('readPosition', fields(lease)), positionOf)
  }

  async snapshot(
    lease: Lease,
    entity: EntityKey,
  ): Promise<UnderLease<JournalSnapshot | undefined>> {
    return underLease(this.#read('readSnapshot', [...fields(lease), utf8(entity)]), snapshotOf)
  }

  async events(
    lease: Lease,
    entity: EntityKey,
    number: number,
  ): Promise<UnderLease<readonly JournalEvent[]>> {
    return underLease(this.#read('readEvents', [...fields(lease), utf8(entity), number]), eventsOf)
  }

  async tail(lease: Lease, position: number): Promise<UnderLease<readonly JournalEvent[]>> {
    return underLease(this.#read('readTail', [...fields(lease), position]), eventsOf)
  }

  async caller(lease: Lease, outbox: SessionId): Promise<UnderLease<JournalCaller>> {
    const rows = this.#read('readCaller', [...fields(lease), fromHex(outbox)])
    return underLease(rows, callerOf(outbox))
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#database.close()
  }

  /** One statement is one snapshot. */
  #read(name: keyof Statements, values: readonly SQLInputValue[]): readonly JournalRow[] {
    this.#requireOpen()
    try {
      return this.#statements[name].all(...values)
    } catch (cause) {
      throw storeError(cause, 'the journal could not be read')
    }
  }

  /** Runs `work` in a transaction of its own. */
  #write<T>(work: (sql: Statements) => T): T {
    this.#requireOpen()
    const result = this.#begin(() => work(this.#statements))
    try {
      this.#database.exec('COMMIT')
      return result
    } catch (cause) {
      this.#rollback()
      throw storeError(cause, 'the journal could not be written')
    }
  }

  /** Runs `work` in a transaction that it leaves open. If `work` throws, nothing is written. */
  #begin<T>(work: () => T): T {
    try {
      // From here on, no other connection writes: what is read stays true until the commit.
      this.#database.exec('BEGIN IMMEDIATE')
      return work()
    } catch (cause) {
      this.#rollback()
      throw storeError(cause, 'the journal could not be written')
    }
  }

  #rollback(): void {
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new PeerplaneError('closed', 'the journal is closed')
  }
}

const fields = ({ shard, token, nonce }: Lease): [number, number, Uint8Array] => [
  shard,
  token,
  nonce,
]

function insert(sql: Statements, shard: number, group: JournalGroup): void {
  for (const { entity, number, position, record } of group.events) {
    sql.event.run(shard, utf8(entity), number, position, record)
  }
  for (const { outbox, n, record } of group.outcomes) {
    sql.outcome.run(shard, fromHex(outbox), n, record)
  }
  for (const { outbox, n } of group.watermarks) {
    sql.watermark.run(shard, fromHex(outbox), n)
    sql.forget.run(shard, fromHex(outbox), n)
  }
  for (const { entity, number, record } of group.snapshots) {
    sql.snapshot.run(utf8(entity), number, record)
  }
}
