import { PeerplaneError, type KeyRange, type Store } from '@peerplane/core'
import {
  deterministicCrypto,
  ManualClock,
  retryContract,
  seededRandom,
} from '@peerplane/core/testing'
import { createMemoryStore } from '@peerplane/crdt-store'
import { expect, test, vi } from 'vitest'

import { device, pass, type Device } from './device.fixture.test.ts'
import { invite } from '../membership/membership.ts'

const ROWS = 0x20
const BATCHES = 0x05

/** Two processes from one image of a new member: the same key, the same randomness and the same time, so the same session. */
async function twoFromOneImage(host: Device): Promise<readonly [Device, Device]> {
  const image = createMemoryStore()
  const { ports, close } = await device(
    image,
    await invite(host.ports, host.membership, { hours: 1, role: 'member', addresses: [] }),
  )
  await close()
  const clock = new ManualClock(ports.clock.now())
  const copy = (): Promise<Device> =>
    device(createMemoryStore(image.entries()), undefined, {
      ...ports,
      clock,
      random: seededRandom(3),
    })
  return Promise.all([copy(), copy()])
}

test('a commit that could not be folded because the store was not to be read is folded later', async () => {
  const ada = await device(createMemoryStore())
  const inner = createMemoryStore()
  let fails = false
  const readsRows = (first: Uint8Array): boolean => fails && first[0] === ROWS
  const broken = new PeerplaneError('store-failed', 'the disk does not answer')
  const bob = await device(
    {
      ...inner,
      get: async (key) => {
        if (readsRows(key)) throw broken
        return inner.get(key)
      },
      scan: async (range: KeyRange) => {
        if (readsRows(range.from)) throw broken
        return inner.scan(range)
      },
    },
    await invite(ada.ports, ada.membership, { hours: 1, role: 'member', addresses: [] }),
  )
  await ada.up('x', 1)
  fails = true
  await pass(ada, bob)
  await bob.space.folded()
  fails = false
  await ada.up('x', 10)
  await pass(ada, bob)
  expect(await bob.value('x')).toBe(11)
  expect(bob.events).toEqual(['store-failed', 'reset'])
})

retryContract(
  'folding',
  {
    by: 'itself',
    ends: {
      'store-corrupt':
        'rows that are damaged again as soon as they are made are refused until the next opening',
    },
  },
  async ({ time, attempt }) => {
    const as = { crypto: deterministicCrypto, clock: time.clock, scheduler: time.scheduler }
    const ada = await device(createMemoryStore(), undefined, as)
    const inner = createMemoryStore()
    const get = async (key: Uint8Array): ReturnType<Store['get']> => {
      if (key[0] === ROWS) attempt()
      return inner.get(key)
    }
    const scan = async (range: KeyRange): ReturnType<Store['scan']> => {
      if (range.from[0] === ROWS) attempt()
      return inner.scan(range)
    }
    const invitation = await invite(ada.ports, ada.membership, {
      hours: 1,
      role: 'member',
      addresses: [],
    })
    const bob = await device({ ...inner, get, scan }, invitation, as)
    await ada.up('x', 1)
    return {
      begin: () => void pass(ada, bob),
      later: async () => {
        await ada.up('x', 10)
        await pass(ada, bob)
        if ((await bob.value('x')) !== 11) throw new Error('it is not folded')
      },
      close: async () => {
        await bob.close()
        await ada.close()
      },
    }
  },
)

test('what could not be folded is folded though nothing else happens', async () => {
  const ada = await device(createMemoryStore())
  const inner = createMemoryStore()
  let fails = false
  const broken = new PeerplaneError('store-failed', 'the disk does not answer')
  const scan = async (range: KeyRange): ReturnType<Store['scan']> => {
    if (fails && range.from[0] === ROWS) throw broken
    return inner.scan(range)
  }
  const bob = await device(
    { ...inner, scan },
    await invite(ada.ports, ada.membership, { hours: 1, role: 'member', addresses: [] }),
  )
  fails = true
  await ada.up('x', 1)
  await pass(ada, bob)
  await bob.space.folded()
  fails = false
  await vi.waitFor(() => expect(bob.events).toEqual(['store-failed', 'reset']), 5_000)
  expect(await bob.value('x')).toBe(1)
})

test('a commit that is lost while folding is busy does not stay in the rows', async () => {
  const inner = createMemoryStore()
  let refuses = false
  let reading = Promise.resolve()
  const bob = await device({
    ...inner,
    scan: async (range: KeyRange) => {
      if (range.from[0] === ROWS) await reading
      return inner.scan(range)
    },
    get: async (key) => {
      if (key[0] === ROWS) await reading
      return inner.get(key)
    },
    write: async (writes, durability) => {
      if (refuses && writes.some(({ key }) => key[0] === BATCHES)) {
        refuses = false
        await new Promise((resolve) => setTimeout(resolve, 20))
        throw new PeerplaneError('store-failed', 'the disk is full')
      }
      return inner.write(writes, durability)
    },
  })
  const ada = await device(
    createMemoryStore(),
    await invite(bob.ports, bob.membership, { hours: 1, role: 'member', addresses: [] }),
  )
  await bob.up('x', 1)
  await ada.up('cold', 5)

  refuses = true
  const outcome = Promise.allSettled([bob.up('x', 100)])
  await new Promise((resolve) => setTimeout(resolve, 2))
  // While the write is in progress, a commit on an entity comes whose row takes long to read.
  const { promise, resolve: answer } = Promise.withResolvers<void>()
  reading = promise
  await pass(ada, bob)
  const flushed = bob.space.entities.flush().catch(() => undefined)
  expect(await outcome).toMatchObject([{ status: 'rejected', reason: { code: 'store-failed' } }])
  await flushed
  answer()
  expect(await bob.value('x')).toBe(1)
  expect(await bob.value('cold')).toBe(5)
  await bob.close()
  const again = await device(createMemoryStore(inner.entries()), undefined, bob.ports)
  expect(await again.value('x')).toBe(1)
})

test('what a device wrote in two versions does not count, whichever was folded; own commits made meanwhile do', async () => {
  const stores = [createMemoryStore(), createMemoryStore()] as const
  const ada = await device(stores[0])
  const bob = await device(
    stores[1],
    await invite(ada.ports, ada.membership, { hours: 1, role: 'member', addresses: [] }),
  )
  const [one, other] = await twoFromOneImage(ada)
  await one.up('x', 100)
  await other.up('x', 200)
  await pass(one, ada)
  await pass(other, bob)
  await ada.up('x', 1)
  await bob.up('x', 2)
  expect([await ada.value('x'), await bob.value('x')]).toEqual([101, 202])
  await ada.space.entities.flush()

  // Own commits that are not durable when the fork is found, and some that come right after.
  const up = () => ada.up('x', 10)
  const before = [up(), up()]
  const stop = ada.space.log.onForked(() => before.push(up(), up()))
  await pass(other, ada)
  stop()
  await Promise.all([...before, up()])
  expect(ada.events).toContain('fork')
  await pass(one, bob)
  for (let round = 0; round < 6; round++) {
    await pass(ada, bob)
    await pass(bob, ada)
  }
  const values = async (): Promise<unknown[]> => [await ada.value('x'), await bob.value('x')]
  await vi.waitFor(async () => expect(await values()).toEqual([53, 53]), 10_000)
  expect(ada.space.log.status().frozen).toHaveLength(1)
  await ada.close()
  const again = await device(createMemoryStore(stores[0].entries()), undefined, ada.ports)
  expect(await again.value('x')).toBe(53)
})

test('after a restart, the entities that a fork affects are still folded again', async () => {
  const store = createMemoryStore()
  const ada = await device(store)
  const [one, other] = await twoFromOneImage(ada)
  await one.up('x', 100)
  await other.up('x', 200)
  await pass(one, ada)
  await ada.up('x', 1)
  await ada.value('x')
  await ada.space.entities.flush()
  const rows = store.entries().filter(({ key }) => key[0]! >= ROWS)
  await pass(other, ada)
  await ada.close()
  // As if the process had ended between the fork and the rows.
  const log = store.entries().filter(({ key }) => key[0]! < ROWS)
  const again = await device(createMemoryStore([...log, ...rows]), undefined, ada.ports)
  await vi.waitFor(async () => expect(await again.value('x')).toBe(1))
  await again.close()
})

test('a command that the store refuses while the space closes is not in the rows', async () => {
  const inner = createMemoryStore()
  const refused = Promise.withResolvers<void>()
  let refuses = false
  const store: Store = {
    ...inner,
    write: async (writes, durability) => {
      if (refuses && writes.some(({ key }) => key[0] === BATCHES)) await refused.promise
      return inner.write(writes, durability)
    },
  }
  const ada = await device(store)
  await ada.up('x', 1)
  refuses = true
  const lost = ada.up('x', 10)
  lost.catch(() => undefined)
  await vi.waitFor(() => expect(ada.space.log.status().pending).toBe(1))
  const closed = ada.close()
  refused.reject(new PeerplaneError('store-full', 'no space left'))
  await closed
  await expect(lost).rejects.toMatchObject({ code: 'store-full' })
  expect(ada.events.at(-1)).toBe('closing')
  const again = await device(inner, undefined, ada.ports)
  expect(await again.value('x')).toBe(1)
})
