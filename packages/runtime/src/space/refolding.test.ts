import {
  fromUtf8,
  limits,
  type EntityKey,
  type Scheduler,
  type Store,
  type Trace,
} from '@peerplane/core'
import { deterministicCrypto, ManualClock, rounds, seededRandom } from '@peerplane/core/testing'
import { createMemoryStore, type MemoryStore } from '@peerplane/crdt-store'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'

import { systemScheduler } from '../index.ts'
import { invite } from '../membership/membership.ts'
import { device, type Device } from './device.fixture.test.ts'

const ROWS = 0x20
const crypto = deterministicCrypto

/** Waits for nothing, but lets no entity leave memory: its row would be written. */
const impatient: Scheduler = {
  after: (ms, task) => systemScheduler.after(ms === limits.idleEntityMs ? ms : 0, task),
}

/** A store, and the entities whose rows were written or deleted since {@link Watched.forget}. */
interface Watched {
  readonly inner: MemoryStore
  readonly store: Store
  readonly rows: Set<string>
}

function watched(inner: MemoryStore = createMemoryStore()): Watched {
  const rows = new Set<string>()
  const store: Store = {
    ...inner,
    write: async (writes, durability) => {
      await inner.write(writes, durability)
      for (const { key } of writes) {
        if (key[0] === ROWS) rows.add(fromUtf8(key.subarray(1)).replace('\0', '/'))
      }
    },
  }
  return { inner, store, rows }
}

/** Opens so many processes from one image of a device; with the same seed, they begin the same sessions. */
type Copies = (seed: number, count: number) => Promise<Device[]>

/** The image of a new member of the space of `host`. */
async function image(host: Device, seed: number): Promise<Copies> {
  const stored = createMemoryStore()
  const clock = new ManualClock(1_000)
  const key = await crypto.keyFromSeed(seededRandom(seed + 1_000_000).bytes(32))
  const as = { crypto, clock, random: seededRandom(seed), key }
  const invitation = await invite(host.ports, host.membership, {
    hours: 1,
    role: 'member',
    addresses: [],
  })
  const { close } = await device(stored, invitation, as)
  await close()
  return async (seedOfCopies, count) => {
    const copies = Array.from({ length: count }, () =>
      device(createMemoryStore(stored.entries()), undefined, {
        ...as,
        clock: new ManualClock(1_000),
        random: seededRandom(seedOfCopies),
      }),
    )
    return Promise.all(copies.map(async (copy) => begun(await copy)))
  }
}

/** Has a device begin its session now: a session states when it begins. */
function begun(copy: Device): Device {
  copy.space.log.next()
  return copy
}

/** As many processes from one image of a new member of the space of `host`: each begins the same sessions. */
const images = async (host: Device, seed: number, count: number): Promise<Device[]> =>
  (await image(host, seed))(seed + 1, count)

/** Something that a device does to one of its entities. */
interface Step {
  readonly kind: 'count' | 'tags' | 'note'
  readonly id: string
  readonly by: number
}

async function act(on: Device, { kind, id, by }: Step): Promise<string> {
  if (kind === 'count') await on.up(id, by)
  else if (kind === 'tags') await on.fill(id, `${by}`, 2)
  else await on.enter(id, `text ${by}`)
  return `${kind}/${id}`
}

const stepOf = (ids: readonly string[]): fc.Arbitrary<Step> =>
  fc.record({
    kind: fc.constantFrom('count', 'count', 'tags', 'note'),
    id: fc.constantFrom(...ids),
    by: fc.integer({ min: 1, max: 9 }),
  })

const shown = async ({ space }: Device): Promise<unknown> => {
  const listed: Record<string, unknown> = {}
  for (const type of ['count', 'tags', 'note']) {
    for (const { id, state } of await space.read(() => space.entities.list(type))) {
      const key = `${type}/${id}` as EntityKey
      listed[key] = [state, (await space.entities.open(key)).mirror]
    }
  }
  return listed
}

/** Resolves when states have no effect of what no longer counts. */
const takenBack = ({ space }: Device): Promise<void> =>
  vi.waitFor(async () => {
    await space.folded()
    for (const { session, seq } of space.log.status().frozen) {
      expect(space.entities.folded().get(session) ?? 0).toBeLessThan(seq)
    }
  }, 10_000)

/** What a device shows that has the same log and folds all of it. */
async function foldedWhole(store: MemoryStore, ports: Device['ports']): Promise<unknown> {
  const log = store.entries().filter(({ key }) => key[0]! < ROWS || key[0]! > 0x2f)
  const whole = await device(createMemoryStore(log), undefined, ports)
  await whole.space.folded()
  const result = await shown(whole)
  await whole.close()
  return result
}

/** Passes on all of each session, from its beginning: the place shows at which two versions part. */
async function bring(from: Device, to: Device): Promise<void> {
  for (const session of from.space.log.delivered().keys()) {
    await to.space.log.admit((await from.space.log.range(session, 1, 1 << 20))!)
  }
}

test('after a fork, only the entities that the forked commits changed are folded again, and all states are the same as after folding everything', async () => {
  const step = stepOf(['a', 'b', 'c', 'd'])
  const fork = fc.record({
    shared: fc.array(step, { maxLength: 3 }),
    one: fc.array(step, { minLength: 1, maxLength: 4 }),
    other: step,
    between: fc.array(step, { maxLength: 2 }),
    meanwhile: fc.array(step, { maxLength: 2 }),
  })
  let rowsWritten = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(stepOf(['a', 'b', 'c', 'd', 'e', 'f']), { maxLength: 8 }),
      fc.array(fork, { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      async (before, forks, isFlushed) => {
        const { inner, store, rows } = watched()
        const clock = new ManualClock(500)
        const ada = await device(store, undefined, {
          crypto,
          clock,
          random: seededRandom(7),
          scheduler: impatient,
        })
        const own = new Set<string>()
        for (const each of before) own.add(await act(ada, each))
        const forkers: Device[][] = []
        const undone: Set<string>[] = []
        for (const [index, { shared, one, between }] of forks.entries()) {
          const copies = await images(ada, 10 * (index + 1), 2)
          forkers.push(copies)
          for (const copy of copies) for (const each of shared) own.add(await act(copy, each))
          const touched = new Set<string>()
          for (const each of one) touched.add(await act(copies[0]!, each))
          undone.push(touched)
          await bring(copies[0]!, ada)
          for (const each of between) own.add(await act(ada, each))
        }
        await ada.space.folded()
        for (const [index, [, other]] of forkers.entries()) {
          const later = other!.ports.clock as ManualClock
          later.ms += 77
          await act(other!, forks[index]!.other)
          // Rows are written now, or together with those that a fork has written.
          if (isFlushed) await ada.space.entities.flush()
          const dirty = isFlushed ? [] : [...undone.flatMap((keys) => [...keys]), ...own]
          rows.clear()
          const frozen = ada.space.log.status().frozen.length
          await bring(other!, ada)
          expect(ada.space.log.status().frozen).toHaveLength(frozen + 1)
          for (const each of forks[index]!.meanwhile) undone[index]!.add(await act(ada, each))
          await takenBack(ada)
          await ada.space.entities.flush()
          const others = [...rows].filter((key) => !undone[index]!.has(key))
          expect(dirty).toEqual(expect.arrayContaining(others))
          expect([...undone[index]!].filter((key) => !rows.has(key))).toEqual([])
          rowsWritten += isFlushed ? rows.size : 0
          expect(await shown(ada)).toEqual(await foldedWhole(inner, ada.ports))
        }
        for (const each of [ada, ...forkers.flat()]) await each.close()
      },
    ),
    { numRuns: rounds(12) },
  )
  expect(rowsWritten).toBeGreaterThan(10)
}, 60_000)

/** A device that has folded one version of what its member forks then, and the fork. */
async function beforeFork(
  steps: readonly Step[],
  scheduler: Scheduler,
): Promise<{ readonly ada: Device; readonly inner: MemoryStore; fork(): Promise<void> }> {
  const inner = createMemoryStore()
  const clock = new ManualClock(2_000)
  const ada = await device(inner, undefined, { crypto, clock, random: seededRandom(7), scheduler })
  await ada.up('own', 1)
  const [one, other] = await images(ada, 10, 2)
  for (const each of steps) await act(one!, each)
  await bring(one!, ada)
  await ada.space.folded()
  const later = other!.ports.clock as ManualClock
  later.ms += 77
  await other!.up('other', 1)
  return { ada, inner, fork: () => bring(other!, ada) }
}

test('a command on a document waits until the document is folded again, so that the command has an effect', async () => {
  const enter: Step = { kind: 'note', id: 'x', by: 1 }
  const { ada, inner, fork } = await beforeFork([enter, { ...enter, by: 2 }], impatient)
  const text = async (): Promise<unknown> => (await ada.space.entities.open(NOTE)).mirror
  expect(await text()).toEqual({ text: 'text 2' })
  // It builds on what will not count, so it will not count either, nor what this session would write after it.
  await ada.enter('x', 'in between')
  await fork()
  await ada.enter('x', 'mine')
  expect(await text()).toEqual({ text: 'mine' })
  const whole = await foldedWhole(inner, ada.ports)
  expect(whole).toMatchObject({ [NOTE]: [{ text: 'mine' }, { text: 'mine' }] })
  await ada.close()
})

const NOTE = 'note/x' as EntityKey

test('commands and changes by others are shown immediately while entities are folded again', async () => {
  // Each pause of the first pass lasts until the device closes.
  let ends = (): void => undefined
  const scheduler: Scheduler = {
    after: (ms, task) => {
      if (ms > 0) return systemScheduler.after(ms, task)
      ends = task
      return () => undefined
    },
  }
  const { ada, fork } = await beforeFork([{ kind: 'count', id: 'x', by: 5 }], scheduler)
  await fork()
  await ada.up('x', 1)
  expect(await ada.value('x')).toBe(6)
  const [eve] = await images(ada, 20, 1)
  await eve!.up('x', 10)
  await eve!.up('y', 3)
  await bring(eve!, ada)
  expect([await ada.value('x'), await ada.value('y')]).toEqual([16, 3])
  const counts = await ada.space.read(() => ada.space.entities.list('count'))
  expect(counts.map(({ id }) => id)).toEqual(['own', 'x', 'y'])

  while ((await ada.value('x')) !== 11) {
    ends()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await ada.close()
})

test('a command on a document waits only for forks that were found before it, however often a device forks, and in the end no forked commit has an effect', async () => {
  const inner = createMemoryStore()
  const stormy: (() => Promise<void>)[] = []
  let brought = 0
  let passes = 0
  // In the middle of each pass, the next fork comes.
  const scheduler: Scheduler = {
    after: (ms, task) => {
      const next = ms === 0 && brought === passes ? stormy.shift() : undefined
      brought += next ? 1 : 0
      let isCancelled = false
      void Promise.resolve(next?.()).then(
        () => isCancelled || systemScheduler.after(ms === 0 ? 0 : 20, task),
      )
      return () => {
        isCancelled = true
      }
    },
  }
  const trace: Trace = (name) => {
    if (name === 'entities.refolded') passes++
  }
  const as = { crypto, clock: new ManualClock(2_000), random: seededRandom(7), scheduler, trace }
  const ada = await device(inner, undefined, as)
  const copies = await image(ada, 10)
  const others: Device[] = []
  for (let i = 0; i < 12; i++) {
    const [one, other] = await copies(i, 2)
    await one!.enter('x', `text ${i}`)
    await bring(one!, ada)
    ;(other!.ports.clock as ManualClock).ms += 77
    await other!.up('other', 1)
    others.push(other!)
    await one!.close()
  }
  await ada.space.folded()
  const forks = others.map((other) => () => bring(other, ada))
  stormy.push(...forks.slice(1))
  await forks[0]!()
  await ada.enter('x', 'mine')
  expect(brought).toBeLessThan(4)
  await vi.waitFor(() => expect(stormy).toEqual([]))
  await takenBack(ada)
  expect(ada.space.log.status().frozen).toHaveLength(12)
  expect(await shown(ada)).toEqual(await foldedWhole(inner, ada.ports))
  for (const each of [ada, ...others]) await each.close()
})
