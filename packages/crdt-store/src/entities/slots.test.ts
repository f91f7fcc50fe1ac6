import { expect, test } from 'vitest'

import { limits, type EntityKey } from '@peerplane/core'

import { createMemoryStore } from '../storage/memory-store.ts'
import { models } from './held-log.fixture.test.ts'
import { slotOf } from './slot.ts'
import { Slots } from './slots.ts'
import { Tally } from './tally.ts'

test('eviction does not look at all entities that cannot go each time one is opened', async () => {
  const slots = await newSlots()
  const count = 4 * limits.openEntities
  let looks = 0
  for (let i = 0; i < count; i++) {
    await slots.load([keyOf(i)])
    slots.evict(() => {
      looks++
      return 'no'
    })
  }
  expect(looks).toBeLessThan(20 * count)
  expect(slots.get(keyOf(0))).toBeDefined()
})

test('what could not go goes when it may', async () => {
  const slots = await newSlots()
  const count = 2 * limits.openEntities
  for (let i = 0; i < count; i++) {
    await slots.load([keyOf(i)])
    slots.evict(() => 'no')
  }
  slots.mayEvict()
  slots.evict(() => 'now')
  const held = Array.from({ length: count }, (_, i) => slots.get(keyOf(i))).filter(Boolean)
  expect(held).toHaveLength(limits.openEntities)
  expect(slots.get(keyOf(0))).toBeUndefined()
  expect(slots.get(keyOf(count - 1))).toBeDefined()
})

async function newSlots(): Promise<Slots> {
  const model = await models.get('row')!.load()
  const store = createMemoryStore()
  return new Slots(store, await Tally.load(store, 0), async (key) =>
    slotOf(key, model, await model.open(undefined)),
  )
}

const keyOf = (i: number): EntityKey => `row/${i}` as EntityKey
