import pg from 'pg'

import type { EntityKey, JournalGroup } from '@peerplane/core'
import { seededRandom } from '@peerplane/core/testing'

import { columns } from './postgres-journal.ts'
import { claimText } from './postgres-statements.ts'
import { readTail } from './reads.ts'

/** What one connection does: an old home that appends, a home that takes over and appends, or a home that takes over and reads. */
type Step = (home: Home) => Promise<void>

interface Home {
  readonly client: pg.Client
  readonly world: World
  token: number
  nonce: Buffer
  /** The last position that the home has read after its claim. */
  read: number | undefined
}

interface World {
  readonly shard: number
  readonly appendText: string
  /** What broke the promise of the fence. */
  readonly broken: string[]
}

const begin: Step = async ({ client, world, token, nonce, read }) => {
  await client.query('BEGIN')
  const position = (read ?? 0) + 1
  const entity = `cart/${world.shard}` as EntityKey
  const events = [{ entity, number: position, position, record: Uint8Array.of(token) }]
  const group: JournalGroup = { events, outcomes: [], watermarks: [], snapshots: [] }
  const values = [world.shard, token, nonce, ...columns(group)]
  await client.query(world.appendText, values).catch((cause: unknown) => {
    world.broken.push(`an append under token ${token} met an earlier one: ${String(cause)}`)
  })
}

const commit: Step = async ({ client }) => {
  await client.query('COMMIT')
}

const claim: Step = async (home) => {
  const { rows } = await home.client.query<{ token: string }>(claimText, [
    home.world.shard,
    'A',
    home.nonce,
    60_000,
  ])
  home.token = Number(rows[0]!.token)
}

const read: Step = async (home) => {
  const { client, world, token, nonce } = home
  const { rows } = await client.query<{ position: string | null }>(readTail, [
    world.shard,
    token,
    nonce,
    0,
  ])
  // Without a row, another home has claimed the shard.
  if (rows.length > 0) home.read = Number(rows.at(-1)!.position ?? 0)
}

/** Only what was read can be continued. */
const beginIfRead: Step = async (home) => {
  if (home.read === undefined) await home.client.query('BEGIN')
  else await begin(home)
}

/** Of every three connections, the first has a lease, and the others take over. */
const scripts: readonly (readonly Step[])[] = [
  [begin, commit],
  [claim, read, beginIfRead, commit],
  [claim, read],
]

/**
 * Executes interleavings of two and three homes on a server, with a fence, and returns what broke its promise: after a home has claimed the shard
 * and read the journal, nothing that was appended under an earlier token appears.
 */
export async function brokenInterleavings(
  url: string,
  schema: string,
  appendText: string,
): Promise<string[]> {
  const options = { connectionString: url, options: `-c search_path=${schema}` }
  const clients = Array.from({ length: 4 }, () => new pg.Client(options))
  await Promise.all(clients.map((client) => client.connect()))
  const broken: string[] = []
  try {
    const [observer, ...homes] = clients
    for (const [i, order] of orders().entries()) {
      const world = { shard: i, appendText, broken }
      await execute(world, observer!, homes, order)
    }
  } finally {
    await Promise.all(clients.map((client) => client.end()))
  }
  return broken
}

/** All 6 orders of a home that appends and a home that only reads, and 34 orders of all three homes. */
function orders(): number[][] {
  const two = [0, 0, 2, 2]
  const pairs = [
    [0, 1, 2, 3],
    [0, 2, 1, 3],
    [0, 2, 3, 1],
    [2, 0, 1, 3],
    [2, 0, 3, 1],
    [2, 3, 0, 1],
  ].map((order) => order.map((i) => two[i]!))
  const found = new Map<string, number[]>()
  const random = seededRandom(7)
  while (found.size < 34) {
    const pool = [0, 0, 1, 1, 1, 1, 2, 2]
    const order: number[] = []
    while (pool.length > 0) order.push(...pool.splice(random.bytes(1)[0]! % pool.length, 1))
    found.set(order.join(''), order)
  }
  return [...pairs, ...found.values()]
}

async function execute(
  world: World,
  observer: pg.Client,
  clients: readonly pg.Client[],
  order: readonly number[],
): Promise<void> {
  const homes: Home[] = clients.map((client, i) => ({
    client,
    world,
    token: 0,
    nonce: Buffer.alloc(16, i + 1),
    read: undefined,
  }))
  await claim(homes[0]!)
  const next = scripts.map(() => 0)
  const doing: Promise<void>[] = homes.map(async () => undefined)
  for (const i of order) {
    const step = scripts[i]![next[i]!++]!
    const done = doing[i]!.then(() => step(homes[i]!))
    doing[i] = done
    await doneOrLocked(done, observer, clients)
  }
  await Promise.all(doing)
  await judge(world, observer, homes, order)
}

/** Resolves when a step is done, or when all statements that are in progress wait for locks. */
async function doneOrLocked(
  step: Promise<void>,
  observer: pg.Client,
  clients: readonly pg.Client[],
): Promise<void> {
  let isDone = false
  const finish = (): void => {
    isDone = true
  }
  step.then(finish, finish)
  const pids = clients.map((client) => (client as unknown as { processID: number }).processID)
  const text = `SELECT FROM pg_stat_activity WHERE pid = ANY($1) AND state = 'active'
    AND wait_event_type IS DISTINCT FROM 'Lock'`
  let quiet = 0
  while (!isDone && quiet < 2) {
    const { rowCount } = await observer.query(text, [pids])
    quiet = rowCount === 0 ? quiet + 1 : 0
  }
}

async function judge(
  { shard, broken }: World,
  observer: pg.Client,
  homes: readonly Home[],
  order: readonly number[],
): Promise<void> {
  const { rows } = await observer.query<{ position: string; record: Buffer }>(
    'SELECT position, record FROM events WHERE shard = $1',
    [shard],
  )
  for (const { token, read: last } of homes.slice(1)) {
    if (last === undefined) continue
    const unseen = rows.filter(
      ({ position, record }) => Number(position) > last && record[0]! < token,
    )
    if (unseen.length === 0) continue
    broken.push(
      `order ${order.join('')}: token ${token} has not read what token ${unseen[0]!.record[0]} wrote`,
    )
  }
}
