import { utf8, type Entry, type Store } from '@peerplane/core'
import { expect, test } from 'vitest'

import { createMemoryStore } from './memory-store.ts'
import { pages } from './pages.ts'

const all = { from: utf8('a'), to: utf8('z') }
const keysOf = async (store: Store, size?: number): Promise<string[]> => {
  const keys: string[] = []
  for await (const page of pages(store, all, size === undefined ? undefined : () => size)) {
    keys.push(...page.map(({ key }) => String.fromCharCode(...key)))
  }
  return keys
}

test('a table comes whole and in order, whatever the size of its pages', async () => {
  const store = createMemoryStore()
  const keys = ['a', 'a\0', 'a\0\0', 'b', 'ba', 'c']
  await store.write(
    keys.map((key) => ({ key: utf8(key), value: utf8('') })),
    'local',
  )
  for (const size of [1, 2, 3, 6, 7, undefined]) expect(await keysOf(store, size)).toEqual(keys)
})

test('a read is refused if the store does not advance to later keys', async () => {
  const entry: Entry = { key: utf8('b'), value: utf8('') }
  const stuck: Store = { ...createMemoryStore(), scan: async () => [entry] }
  await expect(keysOf(stuck, 1)).rejects.toMatchObject({ code: 'store-corrupt' })
})
