import { counter, entity, PeerplaneError, type KeyRange, type Store } from '@peerplane/core'
import { createMemoryStore } from '@peerplane/crdt-store'
import { expect, test, vi } from 'vitest'

import {
  openRuntime,
  systemClock,
  systemRandom,
  systemScheduler,
  webCrypto,
  type Backend,
  type Loaded,
  type Invocation,
  type Ports,
  type ListedEntity,
} from '../index.ts'

const Count = entity('count', {
  state: counter(),
  commands: { up: (state, by: number) => state.increment(by) },
})
const ROWS = 0x20
const crypto = webCrypto()

const portsOn = async (store: Store): Promise<Ports> => ({
  store,
  key: await crypto.keyFromSeed(systemRandom.bytes(32)),
  crypto,
  random: systemRandom,
  clock: systemClock,
  scheduler: systemScheduler,
})

const up = (id: string, input: number): Invocation => ({ type: 'count', id, command: 'up', input })

const openOn = async (store: Store): Promise<Backend> =>
  openRuntime(await portsOn(store), { entities: [Count] })

test('no row and no entity ever shows half of an atomic commit', async () => {
  const backend = await openOn(createMemoryStore())
  const ids = Array.from({ length: 8 }, (_, i) => `${i}`)
  const sums = new Set<number>()
  backend.watchType('count', {}, (rows: readonly ListedEntity[]) => {
    sums.add(rows.reduce((sum, { state }) => sum + (state as number), 0))
  })
  const single = new Map<string, number>()
  const singleSums = new Set<number>()
  for (const id of ids) {
    backend.watchEntity('count', id, (entity) => {
      if (entity.phase === 'ready') single.set(id, entity.state as number)
      // When all listeners that are called together have been called.
      queueMicrotask(() => singleSums.add([...single.values()].reduce((a, b) => a + b, 0)))
    })
  }
  const transfers = Array.from({ length: 300 }, async (_, i) => {
    await new Promise((resolve) => setTimeout(resolve, i % 40))
    const from = ids[i % ids.length]!
    const to = ids[(i * 3 + 1) % ids.length]!
    if (from !== to) await backend.invoke([up(from, -i), up(to, i)], { durability: 'local' })
  })
  await Promise.all(transfers)
  await vi.waitFor(() => expect(single.size).toBe(ids.length))
  expect([...sums]).toEqual([0])
  expect([...singleSums]).toEqual([0])
  await backend.close()
})

test('what could not be read is shown as soon as it can be', async () => {
  const inner = createMemoryStore()
  const ports = await portsOn(inner)
  const before = await openRuntime(ports, { entities: [Count] })
  await before.invoke([up('x', 3)], { durability: 'local' })
  await before.close()

  let fails = false
  const broken = new PeerplaneError('store-failed', 'the disk does not answer')
  const kept = createMemoryStore(inner.entries())
  const store: Store = {
    ...kept,
    get: async (key) => {
      if (fails && key[0] === ROWS) throw broken
      return kept.get(key)
    },
    scan: async (range: KeyRange) => {
      if (fails && range.from[0] === ROWS) throw broken
      return kept.scan(range)
    },
  }
  const backend = await openRuntime({ ...ports, store }, { entities: [Count] })
  fails = true
  const shown: Loaded[] = []
  const listed: (readonly ListedEntity[])[] = []
  backend.watchEntity('count', 'x', (entity) => shown.push(entity))
  backend.watchType('count', {}, (rows) => listed.push(rows))
  await vi.waitFor(() => expect(shown).toHaveLength(1))
  expect(shown[0]).toMatchObject({ phase: 'unreadable', problem: { code: 'store-failed' } })
  fails = false
  await vi.waitFor(() => expect(shown.at(-1)).toMatchObject({ phase: 'ready', state: 3 }), 5_000)
  await vi.waitFor(() => expect(listed).toEqual([[{ id: 'x', state: 3 }]]), 5_000)
  await backend.close()
})

test('no listener hears that what a closed plane held cannot be read', async () => {
  let now = Date.now()
  const backend = await openRuntime(
    {
      ...(await portsOn(createMemoryStore())),
      // Every showing seems to take long, so the next one has to wait, and that not long.
      clock: { now: () => (now += 200) },
      scheduler: { after: (ms, task) => systemScheduler.after(ms / 20, task) },
    },
    { entities: [Count], online: false },
  )
  const seen: Loaded[] = []
  backend.watchEntity('count', 'x', (entity) => seen.push(entity))
  await vi.waitFor(() => expect(seen).toHaveLength(1))
  await backend.invoke([up('x', 1)], { durability: 'synced' })
  await backend.close()
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(seen.map(({ phase }) => phase)).not.toContain('unreadable')
})
