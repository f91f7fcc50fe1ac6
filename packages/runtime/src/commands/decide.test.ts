import { counter, entity, limits, PeerplaneError, type Store } from '@peerplane/core'
import { createMemoryStore } from '@peerplane/crdt-store'
import { expect, test, vi } from 'vitest'

import {
  createPlane,
  openRuntime,
  systemClock,
  systemRandom,
  systemScheduler,
  webCrypto,
  type Plane,
} from '../index.ts'

const Count = entity('count', {
  state: counter(),
  commands: {
    up: (state, by: number) => state.increment(by),
    mark: (state) => {
      state.increment()
      return () => 'not plain'
    },
  },
})

async function open(store: Store = createMemoryStore()): Promise<Plane> {
  const crypto = webCrypto()
  const ports = {
    store,
    // The same device each time.
    key: await crypto.keyFromSeed(new Uint8Array(32).fill(7)),
    crypto,
    random: systemRandom,
    clock: systemClock,
    scheduler: systemScheduler,
  }
  return createPlane([Count], await openRuntime(ports, { entities: [Count] }))
}

test('a reply that cannot be kept refuses the command before anything is appended', async () => {
  const plane = await open()
  const count = plane.get(Count, 'x')
  for (const options of [{}, { operationId: 'once' }]) {
    await expect(count.mark(undefined, options)).rejects.toMatchObject({ code: 'handler-failed' })
  }
  await count.up(5)
  expect(await count.state()).toBe(5)
  expect(await new Promise((resolve) => plane.onStatus(resolve))).toMatchObject({ commits: 1 })
  await plane.close()
})

test('an operation id runs once at any durability', async () => {
  const plane = await open()
  const count = plane.get(Count, 'x')
  const first = await count.up(1, { operationId: 'once', durability: 'memory' })
  expect(first).toMatchObject({ durability: 'local' })
  expect(await count.up(1, { operationId: 'once', durability: 'memory' })).toEqual(first)
  expect(await count.state()).toBe(1)
  await plane.close()
})

test('commands that wait count as pending, and there may not be too many', async () => {
  const plane = await open()
  const count = plane.get(Count, 'x')
  const all = Array.from({ length: limits.pendingCommands }, () => count.up(1))
  expect(await new Promise((resolve) => plane.onStatus(resolve))).toMatchObject({
    pendingCommands: limits.pendingCommands,
  })
  await expect(count.up(1)).rejects.toMatchObject({ code: 'overloaded' })
  await Promise.all(all)
  expect(await count.state()).toBe(limits.pendingCommands)
  await vi.waitFor(() => expect(plane.status()).toMatchObject({ pendingCommands: 0 }))
  await plane.close()
})

test('commands that were called before closing are decided and durable when the plane is closed', async () => {
  const store = createMemoryStore()
  const plane = await open(store)
  const durabilities = ['memory', 'local', 'synced'] as const
  const calls = Array.from({ length: 30 }, (_, i) =>
    plane.get(Count, `${i % 4}`).up(1, {
      durability: durabilities[i % 3]!,
      operationId: i % 5 ? undefined : `${i}`,
    }),
  )
  calls.push(plane.get(Count, 'cold').up(1))
  const recorded = plane.atomic((on) => {
    on(plane.get(Count, '0')).up(1)
    on(plane.get(Count, '1')).up(1)
  })
  await plane.close()
  await expect(plane.get(Count, 'late').up(1)).rejects.toMatchObject({ code: 'closed' })
  await Promise.all([...calls, recorded])
  const again = await open(createMemoryStore(store.entries()))
  const rows = await again.list(Count)
  expect(rows.reduce((sum, { state }) => sum + state, 0)).toBe(33)
  await again.close()
})

test.each([
  ['memory', 'fulfilled', 1],
  ['local', 'rejected', 0],
  ['synced', 'rejected', 0],
] as const)(
  'a command that the store refuses is undone: with durability %s the call is %s, and `undone` rises by %i',
  async (durability, status, undone) => {
    const inner = createMemoryStore()
    let isFull = false
    const plane = await open({
      ...inner,
      write: async (writes, how) => {
        if (!isFull) return inner.write(writes, how)
        // Later than the acknowledgement in memory.
        await new Promise((resolve) => setTimeout(resolve, 50))
        throw new PeerplaneError('store-full', 'there is no room')
      },
    })
    const count = plane.get(Count, 'x')
    await count.up(1)
    const seen: number[] = []
    count.subscribe((state) => seen.push(state))
    isFull = true
    const [called] = await Promise.allSettled([count.up(1, { durability })])
    expect(called.status).toBe(status)
    await vi.waitFor(() => expect(plane.status()).toMatchObject({ storage: 'failing', undone }))
    await vi.waitFor(() => expect(seen).toEqual([1, 2, 1]))
    isFull = false
    await count.up(1)
    // It stays known after the storage works again.
    await vi.waitFor(() => expect(plane.status()).toMatchObject({ storage: 'ok', undone }))
    expect(await count.state()).toBe(2)
    await plane.close()
  },
)

test('a storage that works again is reported as working', async () => {
  const inner = createMemoryStore()
  let isFull = false
  const plane = await open({
    ...inner,
    write: async (writes, durability) => {
      if (isFull) throw new PeerplaneError('store-full', 'there is no room')
      return inner.write(writes, durability)
    },
  })
  const count = plane.get(Count, 'x')
  await count.up(1)
  isFull = true
  await expect(count.up(1)).rejects.toMatchObject({ code: 'store-full' })
  const failing = { storage: 'failing', lastError: { code: 'store-full' } }
  await vi.waitFor(() => expect(plane.status()).toMatchObject(failing))
  isFull = false
  await count.up(1)
  const working = { storage: 'ok', lastError: undefined }
  await vi.waitFor(() => expect(plane.status()).toMatchObject(working))
  expect(await count.state()).toBe(2)
  await plane.close()
})
