import { PeerplaneError, toHex, type Perturbation } from '@peerplane/core'
import { seededRandom } from '@peerplane/core/testing'
import { createPlane, openRuntime, signingKeyOf, systemPlatform } from '@peerplane/runtime'
import type { Plane } from '@peerplane/runtime'
import { openDB } from 'idb'
import { expect, it } from 'vitest'

import { counter, document, entity, record, register, set } from '../index.ts'
import { openIndexedDbStore } from './indexeddb.ts'

const Card = entity('card', {
  state: record({ title: register(''), votes: counter(), tags: set() }),
  commands: {
    fill: (card, text: string) => {
      card.title.set(text)
      card.votes.increment(text.length)
      card.tags.add(text)
    },
  },
})
const Note = entity('note', {
  state: document({ text: '' }),
  commands: {
    write: (note, text: string) => {
      note.text += text
    },
  },
})

const CARDS = ['1', '2', '3', '4', '5', '6', 'never made']
const NOTES = ['diary', 'long', 'never made']
const OPERATIONS = ['op 0', 'op 1', 'op 2', 'op 3']

const platform = systemPlatform()

/** As `open` does it, without the tabs around. */
async function openAt(name: string, perturbations: readonly Perturbation[] = []): Promise<Plane> {
  const entities = [Card, Note]
  const store = await openIndexedDbStore({ name })
  try {
    const perturb = (point: Perturbation): boolean => perturbations.includes(point)
    const ports = { ...platform, store, key: await signingKeyOf(store.pair), perturb }
    return createPlane(entities, await openRuntime(ports, { entities }))
  } catch (error) {
    await store.close()
    throw error
  }
}

/** A plane of three sessions, with something in every table. */
async function fill(space: string): Promise<void> {
  const first = await openAt(space)
  await Promise.all(CARDS.slice(0, -1).map((id) => first.get(Card, id).fill(`words on ${id}`)))
  for (const operationId of OPERATIONS.slice(0, 2)) {
    await first.get(Card, '1').fill(`once, as ${operationId}`, { operationId })
  }
  await first.close()
  // What leaves memory becomes a snapshot.
  const leaving = await openAt(space, ['rows-at-once', 'evict-all'])
  for (let i = 0; i < 5; i++) await leaving.get(Note, 'long').write(`The ${i}th. `)
  await expect.poll(() => hasSnapshot(space), { timeout: 20_000 }).toBe(true)
  await leaving.close()
  const second = await openAt(space)
  for (const word of ['It ', 'was ', 'a ', 'dark ']) await second.get(Note, 'diary').write(word)
  for (const operationId of OPERATIONS.slice(2)) {
    await second.get(Card, '2').fill(`once, as ${operationId}`, { operationId })
  }
  await second.close()
}

async function hasSnapshot(space: string): Promise<boolean> {
  const records = await recordsOf(space)
  return records.filter(isPair).some((each) => pairOf(each).key[0] === 0x21)
}

type Answers = Readonly<Record<string, string>>

/** What a plane says, by question; the code where it refuses. */
async function answersOf(plane: Plane): Promise<Answers> {
  const { space, device, membership, commits } = plane.status()!
  const questions: Readonly<Record<string, () => Promise<unknown>>> = {
    status: async () => [space, device, membership, commits],
    cards: () => plane.list(Card),
    notes: () => plane.list(Note),
    ...Object.fromEntries(CARDS.map((id) => [`card ${id}`, () => plane.get(Card, id).state()])),
    ...Object.fromEntries(NOTES.map((id) => [`note ${id}`, () => plane.get(Note, id).state()])),
    ...Object.fromEntries(OPERATIONS.map((id) => [id, () => plane.outcome(id)])),
  }
  const answers: Record<string, string> = {}
  for (const [question, ask] of Object.entries(questions)) {
    answers[question] = await ask().then((answer) => JSON.stringify(answer ?? null), refusal)
  }
  return answers
}

function refusal(error: unknown): string {
  if (error instanceof PeerplaneError) return `refused: ${error.code}`
  throw error
}

/** Opens a space and asks it for everything. `right`, `refused`, `prefix`, or what is wrong. */
async function judge(space: string, right: Answers): Promise<string> {
  let plane: Plane
  try {
    plane = await openAt(space)
  } catch (error) {
    refusal(error)
    return 'refused'
  }
  try {
    const answers = await answersOf(plane)
    const differing = Object.keys(right).filter((question) => answers[question] !== right[question])
    const wrong = differing.filter((question) => !answers[question]!.startsWith('refused: '))
    if (differing.length === 0) return 'right'
    if (wrong.length === 0) return 'refused'
    if (plane.status()?.lastError?.code === 'storage-lost') return 'prefix'
    return `${wrong[0]} is ${answers[wrong[0]!]}, not ${right[wrong[0]!]}`.slice(0, 300)
  } finally {
    await plane.close()
  }
}

/** One record of the database of a space. */
interface Stored {
  readonly place: string
  readonly key: IDBValidKey
  readonly value: unknown
}

async function recordsOf(space: string): Promise<Stored[]> {
  const database = await openDB(space)
  const found = await Promise.all(
    [...database.objectStoreNames].map(async (place) => {
      const [keys, values] = await Promise.all([database.getAllKeys(place), database.getAll(place)])
      return keys.map((key, i) => ({ place, key, value: values[i] as unknown }))
    }),
  )
  database.close()
  return found.flat()
}

async function restore(space: string, records: readonly Stored[]): Promise<void> {
  const database = await openDB(space)
  const transaction = database.transaction([...database.objectStoreNames], 'readwrite')
  for (const place of database.objectStoreNames) void transaction.objectStore(place).clear()
  for (const { place, key, value } of records) {
    void transaction.objectStore(place).put(value, key)
  }
  await transaction.done
  database.close()
}

/** A pair of bytes. */
interface Pair {
  readonly key: Uint8Array<ArrayBuffer>
  readonly value: Uint8Array<ArrayBuffer>
}

const pairOf = ({ key, value }: Stored): Pair => ({
  key: new Uint8Array(key as ArrayBuffer),
  value: value as Uint8Array<ArrayBuffer>,
})

const isPair = ({ place, key }: Stored): boolean => place === 'pairs' && key instanceof ArrayBuffer

const SEED = 1
/** Databases that are damaged at the same time: most of a case is waiting. */
const LANES = 4
const ACCEPTED = ['right', 'refused', 'prefix']

it('a database with damaged, truncated or missing pairs gives right answers or errors', async () => {
  const space = `damage ${performance.now()}`
  await fill(space)
  const whole = await recordsOf(space)
  const plane = await openAt(space)
  const right = await answersOf(plane)
  await plane.close()
  const pairs = whole.filter(isPair).map(pairOf)
  const others = whole.filter((each) => !isPair(each))
  const tables = [...Map.groupBy(pairs, ({ key }) => key[0]!)].map(([, those]) => those)
  expect(tables.length).toBeGreaterThan(10)

  const random = seededRandom(SEED)
  const below = (limit: number): number => new DataView(random.bytes(4).buffer).getUint32(0) % limit
  const flipped = (bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> => {
    const copy = bytes.slice()
    copy[below(copy.length)]! ^= 1 << below(8)
    return copy
  }
  /** What takes the place of some pairs of a table that lie one after the other. */
  const ways: Readonly<Record<string, (table: Pair[], at: number) => [gone: Pair[], put: Pair[]]>> =
    {
      'flips a bit of the value of': (table, at) => {
        const { key, value } = table[at]!
        return [[table[at]!], [{ key, value: flipped(value) }]]
      },
      'flips a bit of the key of': (table, at) => {
        const { key, value } = table[at]!
        return [[table[at]!], [{ key: flipped(key), value }]]
      },
      'cuts the value of': (table, at) => {
        const { key, value } = table[at]!
        return [[table[at]!], [{ key, value: value.slice(0, below(value.length)) }]]
      },
      deletes: (table, at) => [[table[at]!], []],
      'deletes some from': (table, at) => [table.slice(at, at + 1 + below(table.length - at)), []],
    }
  const verdicts: Record<string, number> = {}
  const wrong: string[] = []
  const names = Object.keys(ways)
  const cases = tables.flatMap((table) =>
    names.map((name) => {
      const at = below(table.length)
      return { what: `${name} ${toHex(table[at]!.key)}`, change: ways[name]!(table, at) }
    }),
  )
  /** Takes one case after the other. */
  const lane = async (database: string): Promise<void> => {
    await (await openIndexedDbStore({ name: database })).close()
    for (let each = cases.pop(); each; each = cases.pop()) {
      const [gone, put] = each.change
      const left = [...pairs.filter((pair) => !gone.includes(pair)), ...put]
      const stored = left.map(({ key, value }) => ({ place: 'pairs', key: key.buffer, value }))
      await restore(database, [...others, ...stored])
      const verdict = await judge(database, right)
      verdicts[verdict] = (verdicts[verdict] ?? 0) + 1
      if (!ACCEPTED.includes(verdict)) wrong.push(`${each.what}: ${verdict}`)
    }
  }
  await Promise.all(Array.from({ length: LANES }, (_, i) => lane(`${space} ${i}`)))
  expect(wrong).toEqual([])
  expect(verdicts).toMatchObject({ right: expect.any(Number), refused: expect.any(Number) })
}, 120_000)

it('the test of damaged databases notices if a database gives an answer from an earlier time', async () => {
  const space = `judged ${performance.now()}`
  const early = await openAt(space)
  await early.get(Card, '1').fill('early')
  await early.close()
  const before = await recordsOf(space)
  const late = await openAt(space)
  await late.get(Card, '1').fill('late')
  const right = await answersOf(late)
  await late.close()
  expect(await judge(space, right)).toBe('right')
  await restore(space, before)
  expect(await judge(space, right)).toMatch(/^status is /)
})
