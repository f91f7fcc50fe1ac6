import { limits } from '@peerplane/core'
import { createMemoryStore } from '@peerplane/crdt-store'
import { describe, expect, test } from 'vitest'

import type { Outcome } from '../contract/invocation.ts'
import { operationKey, operationOrderKey } from '../keys.ts'
import { Operations } from './operations.ts'

const outcome = (reply: number): Outcome => ({
  commit: undefined,
  durability: 'local',
  replies: [reply],
})

test('the latest operations are remembered, over restarts too; the store does not grow with every one', async () => {
  const store = createMemoryStore()
  const most = limits.operations
  let operations = new Operations(store)
  const run = (id: number, reply: number): Promise<Outcome> =>
    operations.once(`${id}`, async () => {
      const recalled = await operations.recall(`${id}`)
      if (recalled) return recalled
      await store.write(operations.remember(`${id}`, outcome(reply)), 'local')
      return outcome(reply)
    })
  for (let id = 0; id < most; id++) await run(id, id)
  operations = new Operations(store)
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
  const operations = new Operations(store)
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

test('what is said of an operation stays true: one that did not run never does, over restarts too', async () => {
  const store = createMemoryStore()
  let operations = new Operations(store)
  const run = (id: string): Promise<Outcome> =>
    operations.once(id, async () => {
      const known = await operations.recall(id)
      if (known) return known
      await store.write(operations.remember(id, outcome(1)), 'local')
      return outcome(1)
    })
  expect(await operations.settle('never')).toBeUndefined()
  await run('done')
  for (const restarted of [false, true]) {
    if (restarted) operations = new Operations(store)
    expect(await operations.settle('done')).toEqual(outcome(1))
    expect(await operations.settle('never')).toBeUndefined()
    await expect(run('never')).rejects.toMatchObject({ code: 'withdrawn' })
  }
})

test('a pending operation is waited for; one that fails has not run', async () => {
  const store = createMemoryStore()
  const operations = new Operations(store)
  const underWay = Promise.withResolvers<Outcome>()
  const failing = Promise.withResolvers<Outcome>()
  const runs = [
    operations.once('runs', () => underWay.promise),
    operations.once('fails', () => failing.promise),
  ]
  const settled = [operations.settle('runs'), operations.settle('fails')]
  // A call that comes meanwhile gets the same answer, and a later one is refused.
  const same = operations.once('fails', () => Promise.resolve(outcome(2)))
  await store.write(operations.remember('runs', outcome(1)), 'local')
  underWay.resolve(outcome(1))
  failing.reject(new Error('the disk is full'))
  expect((await Promise.allSettled([...runs, same])).map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'rejected',
  ])
  expect(await Promise.all(settled)).toEqual([outcome(1), undefined])
  await expect(operations.recall('fails')).rejects.toMatchObject({ code: 'withdrawn' })
})

describe('a store that', () => {
  const ids = ['first', 'middle', 'last']

  /** Operations over a store that was written to and has lost one record. */
  async function without(key: Uint8Array): Promise<Operations> {
    const store = createMemoryStore()
    const operations = new Operations(store)
    for (const [i, id] of ids.entries()) {
      await operations.once(id, async () => {
        await operations.recall(id)
        await store.write(operations.remember(id, outcome(i)), 'local')
        return outcome(i)
      })
    }
    await store.write([{ key, value: undefined }], 'local')
    return new Operations(store)
  }

  test.each(ids)(
    'lacks the outcome of an operation refuses this operation and no other',
    async (id) => {
      const operations = await without(operationKey(id))
      await expect(operations.recall(id)).rejects.toMatchObject({ code: 'store-corrupt' })
      await expect(operations.settle(id)).rejects.toMatchObject({ code: 'store-corrupt' })
      for (const other of ids.filter((each) => each !== id)) {
        expect(await operations.recall(other)).toEqual(outcome(ids.indexOf(other)))
      }
      expect(await operations.recall('new')).toBeUndefined()
    },
  )

  test.each(ids)(
    'lacks the position of an operation in the order of operations still returns the outcome of the operation',
    async (id) => {
      const operations = await without(operationOrderKey(ids.indexOf(id)))
      for (const [i, each] of ids.entries()) {
        expect(await operations.recall(each)).toEqual(outcome(i))
      }
      expect(operations.remember('new', outcome(9))).toHaveLength(2)
    },
  )
})
