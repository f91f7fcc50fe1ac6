import {
  encodeCanonical,
  type EntityKey,
  type KeyRange,
  type Origin,
  type Store,
} from '@peerplane/core'
import { rootLineage } from '@peerplane/core/testing'
import { expect, test } from 'vitest'

import { clearRange, type ClearableStore } from '../storage/checked-store.ts'
import { createMemoryStore } from '../storage/memory-store.ts'
import type { Entities } from './entities.ts'
import {
  commitOf,
  deviceOf,
  manualScheduler,
  models,
  sessionId,
  remoteBody,
  sectionOf,
} from './held-log.fixture.test.ts'
import { absentKey, allAbsentKeys } from './keys.ts'
import { openEntities } from './open-entities.ts'

const keysOf = (type: string, count: number): EntityKey[] =>
  Array.from({ length: count }, (_, i) => `${type}/${i}` as EntityKey)

/** The number of records that lie in a range and were looked at. */
interface WatchedStore extends ClearableStore {
  looked: number
}

const reaches = ({ from, to }: KeyRange): boolean => from[0]! <= 0x24 && to[0]! > 0x24

function watched(store: Store): WatchedStore {
  const watching: WatchedStore = {
    ...store,
    looked: 0,
    clear: (range) => clearRange(store, range),
    get: (key) => {
      if (key[0] === 0x24) watching.looked++
      return store.get(key)
    },
    scan: (range) => {
      // One record tells whether there is any.
      if (reaches(range) && range.limit !== 1) watching.looked++
      return store.scan(range)
    },
    count: (range) => {
      if (reaches(range)) watching.looked++
      return store.count(range)
    },
  }
  return watching
}

const open = (store: ClearableStore): Promise<Entities> =>
  openEntities({
    store,
    models,
    scheduler: manualScheduler(),
    deviceOf,
    lineageOf: () => rootLineage,
    isUnderstood: () => true,
    settled: async () => undefined,
  })

const originOf = (seq: number, session = 1): Origin => ({
  device: deviceOf(sessionId(session)),
  session: sessionId(session),
  seq,
  time: { ms: seq, counter: 0 },
})

const deletion = encodeCanonical([[], [[6, []]]])

/** A store in which so many entities of both lifecycles were created and deleted. */
async function storeWithDeleted(count: number): Promise<Store> {
  const store = createMemoryStore()
  const entities = await open(watched(store))
  const keys = ['row', 'page'].flatMap((type) => keysOf(type, count))
  const body = await remoteBody(originOf(1), (h) => h.title.set('x'))
  await entities.fold([
    commitOf(
      originOf(1),
      keys.map((key) => sectionOf(key, body)),
    ),
  ])
  await entities.flush()
  for (const key of keys) await entities.open(key)
  await entities.fold([
    commitOf(
      originOf(2),
      keys.map((key) => sectionOf(key, deletion)),
    ),
  ])
  await entities.flush()
  expect(entities.absent).toBe(2 * count)
  await entities.close()
  return store
}

test('deleted entities are counted, and neither opening nor listing looks at them, however many there are', async () => {
  const plain = await storeWithDeleted(300)
  const store = watched(plain)
  const entities = await open(store)
  for (const type of ['row', 'page']) expect(await entities.list(type)).toEqual([])
  expect([store.looked, entities.absent]).toEqual([0, 600])
  const records = await plain.scan(allAbsentKeys)
  const largest = Math.max(...records.map(({ key, value }) => key.length + value.length))
  expect(records.length).toBe(600)
  expect(largest).toBeLessThan(200)
  await entities.close()
})

test('an entity that comes back is not counted any longer, whether it was in memory or not', async () => {
  const store = watched(await storeWithDeleted(2))
  const entities = await open(store)
  const late = await remoteBody(originOf(1, 2), (h) => h.title.set('late'))
  const keys = ['row/0', 'page/0'] as EntityKey[]
  await entities.fold([
    commitOf(
      originOf(1, 2),
      keys.map((key) => sectionOf(key, late)),
    ),
  ])
  for (const type of ['row', 'page']) {
    expect((await entities.list(type)).map(({ id }) => id)).toEqual(['0'])
  }
  await entities.flush()
  expect(entities.absent).toBe(2)
  await entities.close()
  const again = await open(store)
  expect(again.absent).toBe(2)
  for (const key of keysOf('page', 2)) await again.open(key)
  expect((await again.list('page')).length).toBe(1)
  await again.close()
})

test('a record of a deleted entity that is missing is noticed before anything is read or written that depends on it', async () => {
  const store = watched(await storeWithDeleted(2))
  await store.write([{ key: absentKey('row/1' as EntityKey), value: undefined }], 'synced')
  const entities = await open(store)
  await expect(entities.open('row/0' as EntityKey)).rejects.toMatchObject({ code: 'store-corrupt' })
  await expect(entities.flush()).rejects.toMatchObject({ code: 'store-corrupt' })
  await entities.discard({ rows: true })
  expect([entities.absent, [...entities.folded()]]).toEqual([0, []])
  expect((await entities.open('row/0' as EntityKey)).exists).toBe(false)
  await entities.close()
})
