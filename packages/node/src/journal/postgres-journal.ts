import {
  fromHex,
  JOURNAL_SHARDS,
  PeerplaneError,
  toHex,
  utf8,
  type Appended,
  type LeaseClaim,
  type EntityKey,
  type Journal,
  type JournalCaller,
  type JournalEvent,
  type JournalGroup,
  type JournalSnapshot,
  type Lease,
  type Random,
  type Scheduler,
  type SessionId,
  type UnderLease,
} from '@peerplane/core'

import { checkGroup } from './group.ts'
import { PostgresConnections } from './postgres-connections.ts'
import {
  appendText,
  claimText,
  holderText,
  releaseText,
  renewText,
  TABLE_VERSION,
  tablesText,
} from './postgres-statements.ts'
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

export interface PostgresJournalOptions {
  /** The address of the database: `postgres://…`. */
  readonly url: string
  /** The schema that holds the tables: `[a-z][a-z0-9_]*`, at most 63 characters. By default `peerplane`. */
  readonly schema?: string
  readonly random: Random
  readonly scheduler: Scheduler
}

/**
 * Opens a journal in a PostgreSQL database, and makes its schema and its tables if they do not exist. Rejects with `store-failed`, `store-version`,
 * `unsupported` (a standby, or a server that does not flush) or `invalid-configuration`.
 */
export async function openPostgresJournal(options: PostgresJournalOptions): Promise<Journal> {
  const { url, schema = 'peerplane', random, scheduler } = options
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(schema)) {
    const reason = `"${schema}" cannot name the schema of a journal`
    throw new PeerplaneError('invalid-configuration', reason)
  }
  const connections = new PostgresConnections({ url, schema, scheduler })
  try {
    const id = await prepare(connections, schema, random)
    return new PostgresJournal(connections, id, random)
  } catch (cause) {
    await connections.close()
    throw cause
  }
}

async function prepare(
  connections: PostgresConnections,
  schema: string,
  random: Random,
): Promise<string> {
  const [found] = await rowsOf(connections, 'SELECT to_regclass($1) AS name', [`${schema}.journal`])
  if (found?.['name'] === null) await makeTables(connections, schema, random)
  const [row] = await rowsOf(connections, 'SELECT id, version FROM journal', [])
  const version = whole(row?.['version'])
  if (version > TABLE_VERSION) {
    throw new PeerplaneError('store-version', `the schema ${schema} has journal version ${version}`)
  }
  return toHex(bytes(row?.['id']))
}

/** The lock lets one process make the tables. The others look again when they have the lock. */
async function makeTables(
  connections: PostgresConnections,
  schema: string,
  random: Random,
): Promise<void> {
  const tables = tablesText
    .replaceAll('$schema', schema)
    .replaceAll('$shards', String(JOURNAL_SHARDS))
    .replaceAll('$id', toHex(random.bytes(16)))
  await rowsOf(
    connections,
    `DO $do$ BEGIN
      PERFORM pg_advisory_xact_lock(hashtext('peerplane/${schema}'));
      IF NOT EXISTS (SELECT FROM pg_tables WHERE schemaname = '${schema}' AND tablename = 'journal')
      THEN ${tables}; END IF;
    END $do$`,
    [],
  )
}

async function rowsOf(
  connections: PostgresConnections,
  text: string,
  values: readonly unknown[],
): Promise<readonly JournalRow[]> {
  const executed = await connections.execute(text, values)
  if (executed.outcome === 'unknown') throw executed.cause
  return executed.rows
}

/** A journal in PostgreSQL. Nothing is kept in memory: the database decides. */
class PostgresJournal implements Journal {
  readonly id: string
  readonly #connections: PostgresConnections
  readonly #random: Random

  constructor(connections: PostgresConnections, id: string, random: Random) {
    this.#connections = connections
    this.id = id
    this.#random = random
  }

  async claim(shard: number, holder: string, ms: number): Promise<LeaseClaim> {
    const nonce = this.#random.bytes(16)
    const [row] = await this.#rows('claim', claimText, [shard, holder, nonce, ms])
    if (row) return { outcome: 'claimed', lease: { shard, token: whole(row['token']), nonce } }
    const [other] = await this.#rows('holder', holderText, [shard])
    return { outcome: 'held', holder: String(other?.['holder']) }
  }

  async renew(lease: Lease, ms: number): Promise<boolean> {
    return (await this.#rows('renew', renewText, [...fields(lease), ms])).length === 1
  }

  async release(lease: Lease): Promise<void> {
    await this.#rows('release', releaseText, fields(lease))
  }

  async append(lease: Lease, group: JournalGroup): Promise<Appended> {
    checkGroup(group)
    const values = [...fields(lease), ...columns(group)]
    const executed = await this.#connections.execute(appendText, values, 'append')
    if (executed.outcome === 'unknown') return executed
    return { outcome: executed.rows.length === 1 ? 'written' : 'fenced' }
  }

  async position(lease: Lease): Promise<UnderLease<number>> {
    return underLease(await this.#rows('position', readPosition, fields(lease)), positionOf)
  }

  async snapshot(
    lease: Lease,
    entity: EntityKey,
  ): Promise<UnderLease<JournalSnapshot | undefined>> {
    const values = [...fields(lease), utf8(entity)]
    return underLease(await this.#rows('snapshot', readSnapshot, values), snapshotOf)
  }

  async events(
    lease: Lease,
    entity: EntityKey,
    number: number,
  ): Promise<UnderLease<readonly JournalEvent[]>> {
    const values = [...fields(lease), utf8(entity), number]
    return underLease(await this.#rows('events', readEvents, values), eventsOf)
  }

  async tail(lease: Lease, position: number): Promise<UnderLease<readonly JournalEvent[]>> {
    return underLease(await this.#rows('tail', readTail, [...fields(lease), position]), eventsOf)
  }

  async caller(lease: Lease, outbox: SessionId): Promise<UnderLease<JournalCaller>> {
    const values = [...fields(lease), fromHex(outbox)]
    return underLease(await this.#rows('caller', readCaller, values), callerOf(outbox))
  }

  close(): Promise<void> {
    return this.#connections.close()
  }

  /** The rows of a statement after which nothing needs to be known: a claim can be repeated, and a read has no effect. */
  async #rows(
    name: string,
    text: string,
    values: readonly unknown[],
  ): Promise<readonly JournalRow[]> {
    const executed = await this.#connections.execute(text, values, name)
    if (executed.outcome === 'unknown') throw executed.cause
    return executed.rows
  }
}

const fields = ({ shard, token, nonce }: Lease): [number, number, Uint8Array] => [
  shard,
  token,
  nonce,
]

/** The parameters of an append after those of the lease: an array for each column. */
export function columns({ events, outcomes, watermarks, snapshots }: JournalGroup): unknown[][] {
  return [
    events.map(({ entity }) => text(utf8(entity))),
    events.map(({ number }) => number),
    events.map(({ position }) => position),
    events.map(({ record }) => text(record)),
    outcomes.map(({ outbox }) => text(fromHex(outbox))),
    outcomes.map(({ n }) => n),
    outcomes.map(({ record }) => text(record)),
    watermarks.map(({ outbox }) => text(fromHex(outbox))),
    watermarks.map(({ n }) => n),
    snapshots.map(({ entity }) => text(utf8(entity))),
    snapshots.map(({ number }) => number),
    snapshots.map(({ record }) => text(record)),
  ]
}

/** Inside of an array, bytes are sent as text. */
const text = (bytes: Uint8Array): string => `\\x${toHex(bytes)}`
