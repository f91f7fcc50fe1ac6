import { describe, expect, test } from 'vitest'

import { utf8 } from '@peerplane/core'
import { storeContract } from '@peerplane/core/testing'

import { createMemoryStore } from './memory-store.ts'

storeContract('memory', async () => {
  const store = createMemoryStore()
  return { store, reopen: async () => createMemoryStore(store.entries()) }
})

describe('memory store', () => {
  test('a store made from the entries of another one shares nothing with it', async () => {
    const first = createMemoryStore()
    await first.write([{ key: utf8('a'), value: utf8('1') }], 'local')
    const second = createMemoryStore(first.entries())
    await first.write([{ key: utf8('a'), value: utf8('2') }], 'local')
    expect(await second.get(utf8('a'))).toEqual(utf8('1'))
  })

  test('keeps its order over many blocks of keys, both ways', async () => {
    const store = createMemoryStore()
    const count = 3000
    const keyOf = (i: number) => Uint8Array.of(i >> 8, i & 255)
    // 1237 has no common factor with 3000: every key once, in a scattered order.
    for (let i = 0; i < count; i++) {
      await store.write([{ key: keyOf((i * 1237) % count), value: Uint8Array.of(1) }], 'local')
    }
    for (let i = 0; i < count; i += 3) {
      await store.write([{ key: keyOf(i), value: undefined }], 'local')
    }
    const left = Array.from({ length: count }, (_, i) => i).filter((i) => i % 3 !== 0)
    const range = { from: keyOf(0), to: keyOf(count) }
    const numbers = (entries: readonly { key: Uint8Array }[]) =>
      entries.map(({ key }) => key[0]! * 256 + key[1]!)
    expect(numbers(await store.scan(range))).toEqual(left)
    expect(numbers(await store.scan({ ...range, reverse: true }))).toEqual(left.toReversed())
    const part = { from: keyOf(500), to: keyOf(2500), limit: 700 }
    const inside = left.filter((i) => i >= 500 && i < 2500)
    expect(numbers(await store.scan(part))).toEqual(inside.slice(0, 700))
    expect(numbers(await store.scan({ ...part, reverse: true }))).toEqual(
      inside.toReversed().slice(0, 700),
    )
  })
})
