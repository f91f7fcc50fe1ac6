import {
  counter,
  document,
  entity,
  map,
  PeerplaneError,
  record,
  register,
  set,
  type Entry,
  type Perturbation,
  type Trace,
} from '@peerplane/core'
import { createMemoryStore } from '@peerplane/crdt-store'
import { describe, expect, test } from 'vitest'

import { createPlane, openRuntime, systemPlatform, type Plane } from './index.ts'

const Card = entity('card', {
  state: record({ title: register(''), votes: map(counter()), tags: set() }),
  commands: {
    fill: (state, text: string) => {
      state.title.set(text)
      state.votes.get('a').increment(text.length)
      state.tags.add(text)
    },
  },
})
const Note = entity('note', {
  state: document({ text: '' }),
  commands: {
    write: (doc, text: string) => {
      doc.text += text
    },
  },
})
const platform = systemPlatform()
const key = await platform.crypto.keyFromSeed(new Uint8Array(32).fill(5))

async function open(
  store: ReturnType<typeof createMemoryStore>,
  perturbations: readonly Perturbation[] = [],
): Promise<Plane> {
  const perturb = (point: Perturbation): boolean => perturbations.includes(point)
  const entities = [Card, Note]
  const backend = await openRuntime({ ...platform, key, store, perturb }, { entities })
  return createPlane(entities, backend)
}

const CORRUPT = 'store-corrupt'

/** Everything that a plane shows; the code of what is refused. */
async function shown(plane: Plane): Promise<Record<string, unknown>> {
  const answers: Record<string, Promise<unknown>> = {
    cards: plane.list(Card),
    notes: plane.list(Note),
    card: plane.get(Card, 'a').state(),
    note: plane.get(Note, 'a').state(),
    other: plane.get(Note, 'b').state(),
    nothing: plane.get(Card, 'c').state(),
    outcome: plane.outcome('op').then((outcome) => outcome?.replies.length),
    commits: Promise.resolve(plane.status()?.commits),
  }
  const given = Object.entries(answers).map(async ([name, answer]) => [
    name,
    await answer.catch(codeOf),
  ])
  return Object.fromEntries(await Promise.all(given)) as Record<string, unknown>
}

const codeOf = (error: unknown): unknown => (error instanceof PeerplaneError ? error.code : error)

async function fill(plane: Plane): Promise<void> {
  await plane.get(Card, 'a').fill('one', { operationId: 'op' })
  await plane.get(Card, 'b').fill('two')
  for (const word of ['it ', 'was ', 'a ', 'dark ']) await plane.get(Note, 'a').write(word)
  await plane.get(Note, 'b').write('and stormy night')
}

const inTables = ({ key: [table] }: Pick<Entry, 'key'>, from: number, to: number): boolean =>
  table! >= from && table! < to

/** Why rows are rebuilt when a plane is opened. */
async function discardsOf(store: ReturnType<typeof createMemoryStore>): Promise<unknown[]> {
  const discards: unknown[] = []
  const trace: Trace = (event, fields) => {
    if (event === 'rows.discarded') discards.push(fields)
  }
  const again = createMemoryStore(store.entries())
  await (
    await openRuntime({ ...platform, key, store: again, trace }, { entities: [Card, Note] })
  ).close()
  return discards
}

/** Whether a record is made from the log. */
const isMade = (entry: Entry): boolean => inTables(entry, 0x20, 0x30)

/** Bits of the checksum of a key, which stands before each value. */
const KEY_SUM = 32

const damaged = ({ key: name, value }: Entry, seed: number): Entry => {
  const copy = value.slice()
  // Not in the checksum of the key: a search that ends beside a damaged key cannot know what it missed, and refuses.
  const bit = KEY_SUM + ((seed * 7919) % (copy.length * 8 - KEY_SUM))
  copy[bit >> 3]! ^= 1 << (bit & 7)
  return { key: name, value: copy }
}

describe('a damaged or missing record', async () => {
  const whole = createMemoryStore()
  const first = await open(whole)
  await fill(first)
  await first.close()
  const second = await open(createMemoryStore(whole.entries()))
  const right = await shown(second)
  await second.close()
  const records = whole.entries().map((entry) => {
    const [table] = entry.key
    return [`0x${table!.toString(16).padStart(2, '0')}`, entry] as const
  })

  test('can be in every table', () => {
    const tables = new Set(records.map(([table]) => table))
    const all = ['0x01', '0x02', '0x03', '0x05', '0x20', '0x22', '0x23', '0x30', '0x32', '0x33']
    expect([...tables]).toEqual(expect.arrayContaining(all))
    expect(Object.keys(right)).toHaveLength(8)
  })

  test.each(records.map(([table, entry], place) => [table, place, entry] as const))(
    'a damaged record is rebuilt or refused: table %s (%#)',
    async (_, place, entry) => {
      const store = createMemoryStore(whole.entries())
      await store.write([damaged(entry, place)], 'local')
      const plane = await open(store).catch(codeOf)
      const given = plane instanceof Object ? await shown(plane as Plane) : {}
      if (plane instanceof Object) await (plane as Plane).close()
      const refused = Object.entries(given).filter(([, answer]) => answer === CORRUPT)
      const isRefused = plane === CORRUPT || refused.length > 0
      expect({ ...right, ...given }).toEqual({ ...right, ...Object.fromEntries(refused) })
      expect(isRefused && isMade(entry)).toBe(false)
    },
  )

  test.each(records.map(([table, entry], place) => [table, place, entry] as const))(
    'a deleted record is rebuilt or refused: table %s (%#)',
    async (_, __, entry) => {
      const store = createMemoryStore(whole.entries())
      await store.write([{ key: entry.key, value: undefined }], 'local')
      const plane = await open(store).catch(codeOf)
      const given = plane instanceof Object ? await shown(plane as Plane) : {}
      if (plane instanceof Object) await (plane as Plane).close()
      const refused = Object.entries(given).filter(([, answer]) => answer === CORRUPT)
      const isRefused = plane === CORRUPT || plane === 'storage-lost' || refused.length > 0
      expect({ ...right, ...given }).toEqual({ ...right, ...Object.fromEntries(refused) })
      expect(isRefused && isMade(entry)).toBe(false)
      // What was rebuilt is whole.
      expect(plane instanceof Object ? await discardsOf(store) : []).toEqual([])
    },
  )

  test('a damaged record that was derived from the log is rebuilt while the plane is open, and nothing is lost', async () => {
    const store = createMemoryStore()
    // What nobody watches leaves memory, so that it is read again.
    const plane = await open(store, ['rows-at-once', 'evict-all'])
    await fill(plane)
    const rows = (): Entry[] => store.entries().filter((entry) => inTables(entry, 0x20, 0x23))
    await expect.poll(() => rows().length).toBeGreaterThan(4)
    await store.write(rows().map(damaged), 'local')
    expect(await shown(plane)).toEqual(right)
    await store.write(rows().map(damaged), 'local')
    await plane.get(Note, 'b').write(' it was')
    const after = await shown(plane)
    expect(after).toMatchObject({
      cards: right['cards'],
      other: { text: 'and stormy night it was' },
    })
    expect(plane.status()).toMatchObject({ storage: 'ok', lastError: undefined })
    await plane.close()
    const again = await open(createMemoryStore(store.entries()))
    expect(await shown(again)).toEqual(after)
    await again.close()
  })

  test('if the log is damaged and rows must be rebuilt, a state that lacks the damaged part is never shown', async () => {
    const store = createMemoryStore()
    const plane = await open(store, ['rows-at-once', 'evict-all'])
    await fill(plane)
    const of = (from: number, to: number): Entry[] =>
      store.entries().filter((entry) => inTables(entry, from, to))
    await expect.poll(() => of(0x20, 0x23).length).toBeGreaterThan(4)
    await store.write([...of(0x05, 0x06), ...of(0x20, 0x23)].map(damaged), 'local')
    const refused = { code: CORRUPT }
    for (let times = 0; times < 3; times++) {
      await expect(plane.list(Card)).rejects.toMatchObject(refused)
      await expect(plane.get(Note, 'a').state()).rejects.toMatchObject({ code: 'unreadable' })
      await expect(plane.get(Card, 'a').fill('more')).rejects.toMatchObject(refused)
    }
    expect(plane.status()).toMatchObject({ storage: 'failing', lastError: refused })
    await plane.close()
    await expect(open(createMemoryStore(store.entries()))).rejects.toMatchObject(refused)
  })

  test('if a damaged row cannot be deleted, calls that need the row are refused, and no call waits forever', async () => {
    const kept = createMemoryStore()
    let isMalformed = false
    const store: ReturnType<typeof createMemoryStore> = {
      ...kept,
      write: async (writes, durability) => {
        const deletesRows = writes.some(
          (each) => each.value === undefined && inTables(each, 0x20, 0x23),
        )
        // So does SQLite where its tree is damaged.
        if (isMalformed && deletesRows) throw new PeerplaneError(CORRUPT, 'malformed')
        await kept.write(writes, durability)
      },
    }
    const plane = await open(store, ['rows-at-once', 'evict-all'])
    await fill(plane)
    const rows = (): Entry[] => kept.entries().filter((entry) => inTables(entry, 0x20, 0x23))
    await expect.poll(() => rows().length).toBeGreaterThan(4)
    isMalformed = true
    await kept.write(rows().map(damaged), 'local')
    const refused = { code: CORRUPT }
    for (let times = 0; times < 3; times++) {
      await expect(plane.list(Card)).rejects.toMatchObject(refused)
      await expect(plane.get(Note, 'a').state()).rejects.toMatchObject({ code: 'unreadable' })
    }
    expect(plane.status()).toMatchObject({ storage: 'failing', lastError: refused })
    await plane.close()
  })
})
