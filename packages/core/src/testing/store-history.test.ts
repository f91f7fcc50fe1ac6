import { expect, test } from 'vitest'

import type { Store, Write } from '../ports/store.ts'
import { StoreHistory } from './store-history.ts'
import { all, applied, put, type Pairs } from './store-model.ts'

/** A store that applies writes when it is told to. */
function slowStore() {
  let content: Pairs = []
  const apply = (write: Write): void => {
    content = applied(content, write)
  }
  const store: Store = {
    get: async () => content[0]?.value,
    scan: async () => content,
    write: async () => undefined,
    close: async () => undefined,
  }
  return { store, apply }
}

const both = [put('a', '1'), put('b', '1')]

test('a read that shows half a batch is noticed', async () => {
  const { store, apply } = slowStore()
  const history = new StoreHistory()
  await history.take(store, { write: both, durability: 'local' })
  apply(both[0]!)
  await history.take(store, { scan: all })
  await expect(history.settle()).rejects.toThrow('a read gave 61=31, and not one of ; 61=31 62=31')
})

test('a read that misses an acknowledged write is noticed, one that misses another is not', async () => {
  const { store } = slowStore()
  const history = new StoreHistory()
  await history.take(store, { write: both, durability: 'local' })
  await history.take(store, { scan: all })
  await history.settle()
  await history.take(store, { get: both[0]!.key })
  await expect(history.settle()).rejects.toThrow('a read gave undefined, and not one of 31')
})

test('after a crash all that was acknowledged must be left, in the order of the calls', async () => {
  const { store } = slowStore()
  const history = new StoreHistory()
  const written = [put('a', '1'), put('b', '2'), put('c', '3')]
  await history.take(store, { write: [written[0]!], durability: 'local' })
  await history.take(store, { write: [written[1]!], durability: 'synced' })
  await history.take(store, { wait: 'write' })
  await history.take(store, { write: [written[2]!], durability: 'local' })
  expect(history.possible()).toEqual([written.slice(0, 2), written])
})
