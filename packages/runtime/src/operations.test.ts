import { limits } from '@peerplane/core'
import { createMemoryStore } from '@peerplane/crdt-store'
import { expect, test } from 'vitest'

import type { Outcome } from './backend.ts'
import { createOperations } from './operations.ts'

const outcome = (reply: number): Outcome => ({
  commit: undefined,
  durability: 'local',
  replies: [reply],
})

test('the latest operations are remembered, over restarts too; the store does not grow with every one', async () => {
  const store = createMemoryStore()
  const most = limits.operations
  let operations = createOperations(store)
  const run = (id: number, reply: number): Promise<Outcome> =>
    operations.once(`${id}`, async () => {
      const recalled = await operations.recall(`${id}`)
      if (recalled) return recalled
      await store.write(operations.remember(`${id}`, outcome(reply)), 'local')
      return outcome(reply)
    })
  for (let id = 0; id < most; id++) await run(id, id)
  operations = createOperations(store)
  await run(most, most)
  await run(most + 1, most + 1)
  expect(store.entries()).toHaveLength(2 * most)
  expect(await run(2, -1)).toEqual(outcome(2))
  expect(await run(most + 1, -1)).toEqual(outcome(most + 1))
  // It has been forgotten.
  expect(await run(0, -1)).toEqual(outcome(-1))
})

test('an operation that could not be stored takes its place when it is tried again', async () => {
  const store = createMemoryStore()
  const operations = createOperations(store)
  const failed = await operations
    .once('a', async () => {
      operations.remember('a', outcome(1))
      throw new Error('the disk is full')
    })
    .catch((error: Error) => error.message)
  expect(failed).toBe('the disk is full')
  const again = operations.once('a', async () => {
    await store.write(operations.remember('a', outcome(2)), 'local')
    return outcome(2)
  })
  expect(await again).toEqual(outcome(2))
  expect(store.entries()).toHaveLength(2)
})
