import { expect, test } from 'vitest'

import type { Store, Write } from '../ports/store.ts'
import { StoreHistory } from './store-history.ts'
import { all, applied, put, type Pairs } from './store-model.ts'

/** A store whose test decides what it applies and acknowledges. */
function puppet() {
  let content: Pairs = []
  const acknowledge: (() => void)[] = []
  const store: Store = {
    get: async () => content[0]?.value,
    scan: async () => content,
    count: async () => content.length,
    write: () => new Promise((resolve) => acknowledge.push(resolve)),
    close: async () => undefined,
  }
  const apply = (...writes: Write[]): void => {
    content = writes.reduce(applied, content)
  }
  return { store, apply, acknowledge: () => acknowledge.shift()!() }
}

const [a, b, c] = [put('a', '1'), put('b', '2'), put('c', '3')]

test('a read that shows half a batch is noticed', async () => {
  const { store, apply, acknowledge } = puppet()
  const history = new StoreHistory()
  await history.take(store, { write: [a, b], durability: 'local' })
  apply(a)
  await history.take(store, { scan: all })
  acknowledge()
  await expect(history.settle()).rejects.toThrow('a read gave 61=31, and not one of ; 61=31 62=32')
})

test('a read may miss a pending write, not one that was acknowledged', async () => {
  const { store, acknowledge } = puppet()
  const history = new StoreHistory()
  await history.take(store, { write: [a], durability: 'local' })
  await history.take(store, { get: a.key })
  acknowledge()
  await history.settle()
  await history.take(store, { get: a.key })
  await expect(history.settle()).rejects.toThrow('a read gave undefined, and not one of 31')
})

test('after a crash all must be left that was acknowledged or came before it', async () => {
  const { store, acknowledge } = puppet()
  const history = new StoreHistory()
  await history.take(store, { write: [a], durability: 'synced' })
  acknowledge()
  await history.take(store, { wait: 'write' })
  await history.take(store, { write: [b], durability: 'local' })
  await history.take(store, { write: [c], durability: 'local' })
  expect(history.possible()).toEqual([[a], [a, b], [a, b, c]])
})
