import {
  compareBytes,
  toHex,
  utf8,
  type Entry,
  type PeerplaneError,
  type KeyRange,
  type Store,
} from '@peerplane/core'
import { storeContract } from '@peerplane/core/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { checkedStore } from './checked-store.ts'
import { checksum } from './checksum.ts'
import { createMemoryStore } from './memory-store.ts'

storeContract('checked', async () => {
  const below = createMemoryStore()
  return {
    store: checkedStore(below),
    reopen: async () => checkedStore(createMemoryStore(below.entries())),
  }
})

test.each([
  ['', 0, 0],
  ['', 1, 0x514e28b7],
  ['hello', 0, 0x248bfa47],
  ['hello, world', 0, 0x149bbb7f],
  ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
])('the checksum of "%s" with the seed %d is that of the reference', (text, seed, sum) => {
  expect(checksum(utf8(text), seed)).toBe(sum)
})

describe('damage', () => {
  // A flipped bit makes some of these bytes larger, others smaller.
  const anyKey = fc
    .array(fc.constantFrom(0, 1, 128, 254), { minLength: 1, maxLength: 3 })
    .map((bytes) => Uint8Array.from(bytes))
  const anyStored = fc.uniqueArray(fc.record({ key: anyKey, value: fc.uint8Array() }), {
    minLength: 1,
    maxLength: 16,
    selector: ({ key }) => toHex(key),
  })
  const anyRead = fc.oneof(
    fc.record({ key: anyKey }),
    fc.record({
      from: anyKey,
      to: anyKey,
      limit: fc.option(fc.nat({ max: 4 }), { nil: undefined, freq: 1 }),
      reverse: fc.boolean(),
    }),
  )
  type Read =
    | { readonly key: Uint8Array }
    | (Omit<KeyRange, 'limit'> & { limit: number | undefined })
  const answer = async (store: Store, read: Read): Promise<unknown> => {
    if ('key' in read) return (await store.get(read.key)) ?? 'nothing'
    const { limit, ...range } = read
    return store.scan(limit === undefined ? range : { ...range, limit })
  }

  test('after damage of any bit of a key or value, a read gives the right answer or an error', async () => {
    let refused = 0
    await fc.assert(
      fc.asyncProperty(anyStored, anyRead, fc.nat(), async (entries, read, where) => {
        const whole = createMemoryStore()
        await checkedStore(whole).write(entries, 'local')
        const right = await answer(checkedStore(whole), read)
        const store = checkedStore(tree(withFlippedBit(whole.entries(), where)))
        const given = await answer(store, read).catch((error: PeerplaneError) => error.code)
        if (given === 'store-corrupt') refused++
        expect([right, 'store-corrupt']).toContainEqual(given)
      }),
      { numRuns: 3_000 },
    )
    expect(refused).toBeGreaterThan(200)
  })

  test('after damage of any bit of the index of keys, a read gives the right answer or an error', async () => {
    let refused = 0
    await fc.assert(
      fc.asyncProperty(anyStored, anyRead, fc.nat(), async (entries, read, where) => {
        const whole = createMemoryStore()
        await checkedStore(whole).write(entries, 'local')
        const right = await answer(checkedStore(whole), read)
        const sorted = whole.entries().toSorted((a, b) => compareBytes(a.key, b.key))
        const index = sorted.map(({ key }) => key.slice())
        const key = index[where % index.length]!
        const bit = Math.floor(where / index.length) % (key.length * 8)
        key[bit >> 3]! ^= 1 << (bit & 7)
        const store = checkedStore(tree(sorted, index))
        const given = await answer(store, read).catch((error: PeerplaneError) => error.code)
        if (given === 'store-corrupt') refused++
        expect([right, 'store-corrupt']).toContainEqual(given)
      }),
      { numRuns: 3_000 },
    )
    expect(refused).toBeGreaterThan(200)
  })

  test('is not what a write brings while its range is being read', async () => {
    const below = createMemoryStore()
    const [first, second] = ['a', 'b'].map(utf8) as [Uint8Array, Uint8Array]
    let comes: Uint8Array | undefined
    /** Writes as soon as a read has looked, and has not answered. */
    const overtaken = async <T>(read: () => Promise<T>): Promise<T> => {
      const given = await read()
      const key = comes
      comes = undefined
      if (key) await store.write([{ key, value: utf8('x') }], 'local')
      return given
    }
    const store = checkedStore({
      ...below,
      get: (key) => overtaken(() => below.get(key)),
      scan: (range) => overtaken(() => below.scan(range)),
    })
    comes = first
    await store.get(first)
    comes = second
    await store.scan({ from: first, to: utf8('c') })
    expect(await store.scan({ from: first, to: utf8('c') })).toHaveLength(2)
  })

  test('of the value beside the pairs is found', async () => {
    let kept: Uint8Array | undefined
    const aside = {
      get: () => kept,
      set: (value: Uint8Array | undefined) => void (kept = value),
    }
    const store = checkedStore({ ...createMemoryStore(), aside })
    store.aside!.set(utf8('last words'))
    expect(store.aside!.get()).toEqual(utf8('last words'))
    kept![10]! ^= 1
    expect(() => store.aside!.get()).toThrow(expect.objectContaining({ code: 'store-corrupt' }))
    store.aside!.set(undefined)
    expect(store.aside!.get()).toBeUndefined()
  })

  test('does not keep a range from being cleared', async () => {
    const below = createMemoryStore()
    const store = checkedStore(below)
    const keys = ['a', 'b', 'c', 'd'].map(utf8)
    await store.write(
      keys.map((key) => ({ key, value: utf8('x') })),
      'local',
    )
    await below.write([{ key: utf8('b'), value: utf8('neither sum nor value') }], 'local')
    const range = { from: utf8('b'), to: utf8('d') }
    await expect(store.scan(range)).rejects.toMatchObject({ code: 'store-corrupt' })
    await store.clear(range)
    expect(await store.scan(range)).toEqual([])
    expect(await store.get(utf8('a'))).toEqual(utf8('x'))
    expect(await store.get(utf8('d'))).toEqual(utf8('x'))
  })

  test.each([['text'], [7], [null]])(
    'clearing a range ends even if the index returns an invalid key: %o',
    async (given) => {
      const below = createMemoryStore([{ key: utf8('b'), value: utf8('x') }])
      const entry = { key: given as never, value: utf8('x') }
      const store = checkedStore({ ...below, scan: async () => [entry] })
      const range = { from: utf8('a'), to: utf8('d') }
      await expect(store.clear(range)).rejects.toMatchObject({ code: 'store-corrupt' })
    },
  )
})

function withFlippedBit(entries: readonly Entry[], where: number): Entry[] {
  const sorted = entries.toSorted((a, b) => compareBytes(a.key, b.key))
  const { key, value } = sorted[where % sorted.length]!
  const bit = Math.floor(where / sorted.length) % ((key.length + value.length) * 8)
  const part = bit < key.length * 8 ? key : value
  const at = bit < key.length * 8 ? bit : bit - key.length * 8
  part[at >> 3]! ^= 1 << (at & 7)
  return sorted
}

/**
 * A store that finds keys as a tree does: by comparing, as if they were in the order in which they lie. What it compares is a copy of each key,
 * in an index, as in SQLite; what it returns is the pair.
 */
function tree(
  entries: readonly Entry[],
  index: readonly Uint8Array[] = entries.map(({ key }) => key),
): Store {
  const copies = (found: readonly Entry[]): Entry[] =>
    found.map(({ key, value }) => ({ key: key.slice(), value: value.slice() }))
  /** Place of the first entry from `key` on. */
  const place = (key: Uint8Array): number => {
    let low = 0
    let high = entries.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (compareBytes(index[middle]!, key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
  return {
    ...createMemoryStore(),
    get: async (key) => {
      const at = place(key)
      const indexed = index[at]
      return indexed && compareBytes(indexed, key) === 0 ? entries[at]!.value.slice() : undefined
    },
    scan: async ({ from, to, limit = Infinity, reverse = false }) => {
      const found: Entry[] = []
      const step = reverse ? -1 : 1
      for (let i = reverse ? place(to) - 1 : place(from); found.length < limit; i += step) {
        const key = index[i]
        const isInside = key && (reverse ? compareBytes(key, from) >= 0 : compareBytes(key, to) < 0)
        if (!isInside) break
        found.push(entries[i]!)
      }
      return copies(found)
    },
  }
}
