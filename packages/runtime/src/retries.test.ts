import { counter, entity, type KeyRange, type Store } from '@peerplane/core'
import {
  deterministicCrypto,
  retryContract,
  seededRandom,
  type RetryFixture,
  type RetryWorld,
} from '@peerplane/core/testing'
import { createMemoryStore } from '@peerplane/crdt-store'
import { vi } from 'vitest'

import { openRuntime, type LocalBackend, type Ports } from './index.ts'

const Count = entity('count', {
  state: counter(),
  commands: { up: (state) => state.increment(1) },
})
const BATCHES = 0x05
const ROWS = 0x20

/** Where the storage fails: when it reads rows, or when it writes commits. */
type Place = 'rows' | 'commits'

function failing(inner: Store, place: Place, attempt: () => void): Store {
  return {
    ...inner,
    get: async (key) => {
      if (place === 'rows' && key[0] === ROWS) attempt()
      return inner.get(key)
    },
    scan: async (range: KeyRange) => {
      if (place === 'rows' && range.from[0] === ROWS) attempt()
      return inner.scan(range)
    },
    write: async (writes, durability) => {
      if (place === 'commits' && writes.some(({ key }) => key[0] === BATCHES)) attempt()
      return inner.write(writes, durability)
    },
  }
}

/** A runtime that holds one count, and whose storage may fail. */
async function open({ time, attempt }: RetryWorld, place: Place): Promise<LocalBackend> {
  const ports: Omit<Ports, 'store'> = {
    key: await deterministicCrypto.keyFromSeed(new Uint8Array(32)),
    crypto: deterministicCrypto,
    random: seededRandom(1),
    clock: time.clock,
    scheduler: time.scheduler,
  }
  const inner = createMemoryStore()
  const before = await openRuntime({ ...ports, store: inner }, { entities: [Count] })
  await up(before, 'x')
  await before.close()
  const store = failing(createMemoryStore(inner.entries()), place, attempt)
  return openRuntime({ ...ports, store }, { entities: [Count] })
}

const up = (backend: LocalBackend, id: string): ReturnType<LocalBackend['invoke']> =>
  backend.invoke([{ type: 'count', id, command: 'up', input: undefined }], { durability: 'local' })

const fixture = (
  backend: LocalBackend,
  watch: () => void,
  isShown: () => boolean,
): RetryFixture => ({
  begin: watch,
  later: async () => {
    await up(backend, 'x')
    await vi.waitFor(() => isShown() || Promise.reject(new Error('not shown')))
  },
  close: () => backend.close(),
})

const ends = {
  'store-corrupt':
    'rows that are damaged again as soon as they are made are refused until the next opening',
}

retryContract('a watch of an entity', { by: 'itself', ends }, async (world) => {
  const backend = await open(world, 'rows')
  let state: unknown
  return fixture(
    backend,
    () => {
      backend.watchEntity('count', 'x', (shown) => {
        state = shown.phase === 'ready' ? shown.state : undefined
      })
    },
    () => state === 2,
  )
})

retryContract('a watch of a listing', { by: 'itself', ends }, async (world) => {
  const backend = await open(world, 'rows')
  let state: unknown
  return fixture(
    backend,
    () => {
      backend.watchType('count', {}, (rows) => {
        state = rows[0]?.state
      })
    },
    () => state === 2,
  )
})

retryContract('a command', { by: 'others' }, async (world) => {
  const backend = await open(world, 'commits')
  return {
    begin: () => {
      // Ignored: that it is not called again is what the test is about.
      up(backend, 'x').catch(() => undefined)
    },
    later: async () => {
      await up(backend, 'x')
    },
    close: () => backend.close(),
  }
})
