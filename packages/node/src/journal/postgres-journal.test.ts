import { setTimeout as sleep } from 'node:timers/promises'

import pg from 'pg'

import type { EntityKey, Journal, JournalGroup, Lease, Scheduler } from '@peerplane/core'
import { utf8 } from '@peerplane/core'
import { journalContract, seededRandom } from '@peerplane/core/testing'
import { systemScheduler } from '@peerplane/runtime'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { brokenInterleavings } from './fence-interleavings.fixture.test.ts'
import { openPostgresJournal } from './postgres-journal.ts'
import { startPostgres, type PostgresServer } from './postgres-server.fixture.test.ts'
import { appendText } from './postgres-statements.ts'

const random = seededRandom(1)
const empty: JournalGroup = { events: [], outcomes: [], watermarks: [], snapshots: [] }
const cart = 'cart/a' as EntityKey
const opened: Journal[] = []
const admins: pg.Client[] = []
let server: PostgresServer
let schemas = 0

beforeAll(async () => {
  server = await startPostgres()
})
afterEach(async () => {
  // Journals may wait for locks that they hold.
  await Promise.all(admins.splice(0).map((admin) => admin.end()))
  await Promise.all(opened.splice(0).map((journal) => journal.close()))
})
afterAll(() => server.stop())

journalContract('PostgreSQL', async () => {
  const schema = `s${++schemas}`
  return {
    open: () => openPostgresJournal({ ...platform(), schema }),
    pass: async (ms) => {
      await sleep(ms)
    },
  }
})

describe('a journal on PostgreSQL', () => {
  test('several processes that open a new journal make it once', async () => {
    const { schema } = await fresh()
    const name = `${schema}_b`
    const ids = await Promise.all([open(name), open(name), open(name)])
    expect(new Set(ids.map(({ id }) => id)).size).toBe(1)
  })

  test('an answer with a warning is unknown, and the next claim tells what happened', async () => {
    const { journal, lease, admin } = await fresh()
    await admin.query(`
      CREATE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE WARNING 'canceling wait for synchronous replication'; RETURN NEW; END $$;
      CREATE TRIGGER warn BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION warn()`)
    const appended = await journal.append(lease, added(1))
    expect(appended).toMatchObject({ outcome: 'unknown', cause: { code: 'store-failed' } })
    expect(String((appended as { cause: unknown }).cause)).toContain('canceling wait')
    const again = await claimed(journal)
    expect(await journal.position(again)).toEqual({ outcome: 'read', value: 1 })
  })

  describe('an append whose answer does not come in time is decided by the next claim', () => {
    test('the claim waits for an append that has passed the fence', async () => {
      const { scheduler, timers } = manualTimers()
      const { journal, lease, admin } = await fresh(scheduler)
      await admin.query('BEGIN')
      await admin.query("INSERT INTO events VALUES ('cart/a', 1, 0, 1, 'x')")
      const appending = journal.append(lease, added(1))
      await waiting(admin, 1)
      timers[0]!()
      expect(await appending).toMatchObject({ outcome: 'unknown' })

      const claiming = claimed(journal)
      await waiting(admin, 2)
      await admin.query('ROLLBACK')
      const next = await claiming
      expect(await journal.position(next)).toEqual({ outcome: 'read', value: 1 })
      expect(await journal.append(lease, added(2))).toEqual({ outcome: 'fenced' })
    })

    test('the claim fences an append that is still in front of the fence', async () => {
      const { scheduler, timers } = manualTimers()
      const { journal, lease, admin } = await fresh(scheduler)
      await admin.query('BEGIN; LOCK TABLE events IN EXCLUSIVE MODE')
      const appending = journal.append(lease, added(1))
      await waiting(admin, 1)
      timers[0]!()
      expect(await appending).toMatchObject({ outcome: 'unknown' })

      const next = await claimed(journal)
      await admin.query('COMMIT')
      await waiting(admin, 0)
      expect(await journal.position(next)).toEqual({ outcome: 'read', value: 0 })
    })
  })

  test('a server that ends leaves the append unknown, and a new connection is made later', async () => {
    const { journal, lease, admin } = await fresh()
    await journal.append(lease, added(1))
    await admin.query('BEGIN; LOCK TABLE events IN EXCLUSIVE MODE')
    const appending = journal.append(lease, added(2))
    await waiting(admin, 1)
    admin.on('error', () => undefined)
    await server.kill()
    expect(await appending).toMatchObject({ outcome: 'unknown' })
    await expect(journal.position(lease)).rejects.toMatchObject({ code: 'store-failed' })
    await server.start()
    const next = await claimed(journal)
    expect(await journal.position(next)).toEqual({ outcome: 'read', value: 1 })
    expect(await journal.append(next, added(2))).toEqual({ outcome: 'written' })
  })

  test('commits wait for the disk, whatever the database sets by default', async () => {
    const { schema, lease, admin } = await fresh()
    await admin.query(`
      ALTER ROLE peerplane SET synchronous_commit = off;
      ALTER ROLE peerplane SET default_transaction_isolation = serializable;
      CREATE TABLE seen (level text, isolation text);
      CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO seen VALUES (current_setting('synchronous_commit'), current_setting('transaction_isolation'));
        RETURN NEW; END $$;
      CREATE TRIGGER see BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION see()`)
    try {
      const again = await open(schema)
      expect(await again.append(lease, added(1))).toEqual({ outcome: 'written' })
      const { rows } = await admin.query('SELECT * FROM seen')
      expect(rows).toEqual([{ level: 'on', isolation: 'read committed' }])
    } finally {
      await admin.query('ALTER ROLE peerplane RESET ALL')
    }
  })

  test('a server without fsync, a newer journal and a wrong name are refused', async () => {
    const { schema, admin } = await fresh()
    await admin.query('UPDATE journal SET version = 2')
    await expect(open(schema)).rejects.toMatchObject({ code: 'store-version' })
    await expect(open('a"; DROP')).rejects.toMatchObject({ code: 'invalid-configuration' })
    await admin.query('ALTER SYSTEM SET fsync = off')
    await admin.query('SELECT pg_reload_conf()')
    try {
      await expect
        .poll(() => open(schema).catch((error: unknown) => error))
        .toMatchObject({
          code: 'unsupported',
        })
    } finally {
      await admin.query('ALTER SYSTEM RESET fsync')
      await admin.query('SELECT pg_reload_conf()')
    }
  })

  test('an address at which no database answers fails the opening', async () => {
    const url = 'postgres://nobody@/none?host=%2Fnowhere'
    const opening = openPostgresJournal({ ...platform(), url })
    await expect(opening).rejects.toMatchObject({ code: 'store-failed' })
  })
})

describe('40 interleavings of two and three homes', () => {
  /** What broke the promise of a fence. */
  async function broken(text: string): Promise<string[]> {
    const { schema, admin } = await fresh()
    const found = await brokenInterleavings(server.url, schema, text)
    const { rows } = await admin.query<{ events: number }>(
      'SELECT count(*)::int AS events FROM events',
    )
    expect(rows[0]!.events).toBeGreaterThan(20)
    return found
  }

  test('with the fence, nothing appears that a home has not read', async () => {
    expect(await broken(appendText)).toEqual([])
  })

  test.each([
    [
      'a sub-select',
      appendText
        .replace('token = $2', 'token = (SELECT token FROM leases WHERE shard = $1 AND token = $2)')
        .replace('FOR SHARE', ''),
    ],
    ['FOR KEY SHARE', appendText.replace('FOR SHARE', 'FOR KEY SHARE')],
  ])('%s is not a fence', async (_, text) => {
    expect((await broken(text)).length).toBeGreaterThan(3)
  })
})

const platform = () => ({ url: server.url, random, scheduler: systemScheduler })

async function open(schema: string, scheduler: Scheduler = systemScheduler): Promise<Journal> {
  const journal = await openPostgresJournal({ ...platform(), schema, scheduler })
  opened.push(journal)
  return journal
}

/** A new journal with a lease of shard 0, and a connection of an administrator, who sees its tables. */
async function fresh(scheduler?: Scheduler) {
  const schema = `s${++schemas}`
  const journal = await open(schema, scheduler)
  const admin = new pg.Client({ connectionString: server.url, options: `-c search_path=${schema}` })
  await admin.connect()
  admins.push(admin)
  return { schema, journal, admin, lease: await claimed(journal) }
}

const added = (number: number): JournalGroup => ({
  ...empty,
  events: [{ entity: cart, number, position: number, record: utf8(`${number}`) }],
})

async function claimed(journal: Journal): Promise<Lease> {
  const claim = await journal.claim(0, 'A', 60_000)
  if (claim.outcome !== 'claimed') throw new Error('the shard is held')
  return claim.lease
}

/** Timers that fire when a test calls them. */
function manualTimers(): { readonly scheduler: Scheduler; readonly timers: (() => void)[] } {
  const timers: (() => void)[] = []
  const after: Scheduler['after'] = (_, task) => {
    timers.push(task)
    return () => timers.splice(timers.indexOf(task), 1)
  }
  return { scheduler: { after }, timers }
}

/** Resolves when exactly `count` statements of journals are in progress and wait for locks, and no other statements are in progress. */
async function waiting(admin: pg.Client, count: number): Promise<void> {
  const text = `SELECT count(*)::int AS active, (count(*) FILTER (WHERE wait_event_type = 'Lock'))::int AS locked
    FROM pg_stat_activity WHERE application_name = 'peerplane' AND state = 'active'`
  await expect
    .poll(
      async () => {
        // Otherwise, the view stays as it was at first in a transaction.
        await admin.query('SELECT pg_stat_clear_snapshot()')
        return (await admin.query(text)).rows[0]
      },
      { interval: 2, timeout: 20_000 },
    )
    .toEqual({ active: count, locked: count })
}
