import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'

import { equalBytes } from '../bytes.ts'
import type { KeyRange, Store, StoreDurability, Write } from '../ports/store.ts'
import { storeAttacks } from './store-attacks.contract.ts'
import { all, anyRange, anyWrite, applied, drop, put, selected, texts } from './store-model.ts'
import type { Pairs, StoreFixture } from './store-model.ts'
import { utf8 } from '../text.ts'

/** The tests that every {@link Store} passes. `open` gives a new empty store at every call; the suite closes what it opened. */
export function storeContract(name: string, open: () => Promise<StoreFixture>): void {
  const opened: Store[] = []
  const fresh = async (): Promise<StoreFixture> => {
    const { store, reopen } = await open()
    opened.push(store)
    return {
      store,
      reopen: async () => {
        const again = await reopen()
        opened.push(again)
        return again
      },
    }
  }

  describe(`store contract: ${name}`, () => {
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((store) => store.close()))
    })

    describe('keys and values', () => {
      test('an unknown key has no value; an empty value is a value', async () => {
        const { store } = await fresh()
        await store.write([put('empty', '')], 'local')
        expect(await store.get(utf8('empty'))).toEqual(new Uint8Array(0))
        expect(await store.get(utf8('unknown'))).toBeUndefined()
        expect(await store.scan(all)).toHaveLength(1)
      })

      test('values come back byte for byte', async () => {
        const { store } = await fresh()
        const value = Uint8Array.from({ length: 70_000 }, (_, i) => i % 251)
        await store.write([{ key: Uint8Array.of(0, 255, 0), value }], 'synced')
        const found = await store.get(Uint8Array.of(0, 255, 0))
        expect(found && equalBytes(found, value)).toBe(true)
      })

      test('a key may be the prefix of another', async () => {
        const { store } = await fresh()
        await store.write([put('ab', '2'), put('a', '1'), put('abc', '3')], 'local')
        expect(await texts(store, all)).toEqual(['a=1', 'ab=2', 'abc=3'])
        await store.write([drop('ab')], 'local')
        expect(await texts(store, all)).toEqual(['a=1', 'abc=3'])
      })

      test('arrays passed in and handed out are not shared with the store', async () => {
        const { store } = await fresh()
        const key = utf8('key')
        const value = utf8('value')
        const writes = [{ key, value }]
        const written = store.write(writes, 'local')
        key.fill(0)
        value.fill(0)
        writes.length = 0
        await written
        ;(await store.get(utf8('key')))!.fill(0)
        const [entry] = await store.scan(all)
        entry!.key.fill(0)
        entry!.value.fill(0)
        expect(await texts(store, all)).toEqual(['key=value'])
      })

      test('a view into a larger buffer counts as its own bytes only', async () => {
        const { store } = await fresh()
        const buffer = utf8('..key..value..')
        await store.write([{ key: buffer.subarray(2, 5), value: buffer.subarray(7, 12) }], 'local')
        expect(await store.get(buffer.subarray(2, 5))).toEqual(utf8('value'))
        expect(await texts(store, all)).toEqual(['key=value'])
        const range = { from: buffer.subarray(2, 5), to: buffer.subarray(7, 12) }
        expect(await texts(store, range)).toEqual(['key=value'])
      })
    })

    describe('ranges', () => {
      const keys = [
        [0],
        [0, 0],
        [0, 255],
        [1],
        [127],
        [128],
        [254, 255],
        [255],
        [255, 0],
        [255, 255],
      ]
      const filled = async (): Promise<Store> => {
        const { store } = await fresh()
        const writes = keys.map((key) => ({ key: Uint8Array.from(key), value: utf8('x') }))
        await store.write(writes.toReversed(), 'local')
        return store
      }
      const found = async (store: Store, range: KeyRange): Promise<number[][]> =>
        (await store.scan(range)).map(({ key }) => [...key])

      test('keys come in the order of unsigned bytes, a prefix first', async () => {
        const store = await filled()
        expect(await found(store, all)).toEqual(keys)
        expect(await found(store, { ...all, reverse: true })).toEqual(keys.toReversed())
      })

      test('the lower bound is inside, the upper bound is not', async () => {
        const store = await filled()
        const range = { from: Uint8Array.of(0, 255), to: Uint8Array.of(255) }
        expect(await found(store, range)).toEqual([[0, 255], [1], [127], [128], [254, 255]])
        const beyond = { from: Uint8Array.of(255), to: Uint8Array.of(255, 255) }
        expect(await found(store, beyond)).toEqual([[255], [255, 0]])
      })

      test('a range from the empty key begins with the first key', async () => {
        const store = await filled()
        const range = { from: new Uint8Array(0), to: Uint8Array.of(0, 255) }
        expect(await found(store, range)).toEqual([[0], [0, 0]])
      })

      test('a range that ends where it begins, or before, is empty', async () => {
        const store = await filled()
        const one = Uint8Array.of(1)
        expect(await found(store, { from: one, to: one })).toEqual([])
        expect(await found(store, { from: one, to: Uint8Array.of(0) })).toEqual([])
        expect(await found(store, { from: one, to: one, reverse: true, limit: 1 })).toEqual([])
      })

      test('a limit counts from the end where the scan begins', async () => {
        const store = await filled()
        expect(await found(store, { ...all, limit: 3 })).toEqual(keys.slice(0, 3))
        const last = keys.toReversed().slice(0, 3)
        expect(await found(store, { ...all, limit: 3, reverse: true })).toEqual(last)
        expect(await found(store, { ...all, limit: 0 })).toEqual([])
        expect(await found(store, { ...all, limit: 100 })).toEqual(keys)
        const inner = { from: Uint8Array.of(1), to: Uint8Array.of(255), limit: 2, reverse: true }
        expect(await found(store, inner)).toEqual([[254, 255], [128]])
      })
    })

    describe('writes', () => {
      test('no writes at all are fine', async () => {
        const { store } = await fresh()
        await store.write([], 'synced')
        expect(await store.scan(all)).toEqual([])
      })

      test('of two writes to one key in one batch the later wins', async () => {
        const { store } = await fresh()
        await store.write([put('a', '1'), put('b', '1')], 'local')
        await store.write([put('a', '2'), drop('a'), drop('b'), put('b', '2')], 'local')
        expect(await texts(store, all)).toEqual(['b=2'])
      })

      test('deleting an unknown key changes nothing', async () => {
        const { store } = await fresh()
        await store.write([put('a', '1'), drop('b')], 'local')
        expect(await texts(store, all)).toEqual(['a=1'])
      })

      test('a read after a write sees it', async () => {
        const { store } = await fresh()
        for (const durability of ['local', 'synced'] as const) {
          await store.write([put('a', durability)], durability)
          expect(await store.get(utf8('a'))).toEqual(utf8(durability))
          expect(await texts(store, all)).toEqual([`a=${durability}`])
        }
      })

      test('writes that are pending together take effect in the order of their calls', async () => {
        const { store } = await fresh()
        const durabilities: StoreDurability[] = ['synced', 'local']
        const writes = Array.from({ length: 40 }, (_, i) =>
          store.write([put('last', `${i}`), put(`k${i}`, '')], durabilities[i % 2]!),
        )
        await Promise.all(writes)
        expect(await store.get(utf8('last'))).toEqual(utf8('39'))
        expect(await store.scan(all)).toHaveLength(41)
      })

      test('a scan sees a batch as a whole or not at all', async () => {
        const { store } = await fresh()
        const rounds = Array.from({ length: 20 }, async (_, i) => {
          const written = store.write([put('a', `${i}`), put('z', `${i}`)], 'local')
          const entries = await texts(store, all)
          await written
          return entries
        })
        for (const entries of await Promise.all(rounds)) {
          const values = entries.map((entry) => entry.split('=')[1])
          expect([[], [values[0], values[0]]]).toContainEqual(values)
        }
      })
    })

    describe('closing', () => {
      test('a reopened store holds everything, in order', async () => {
        const { store, reopen } = await fresh()
        await store.write([put('b', '1'), put('a', ''), put('c', '3')], 'local')
        await store.write([drop('c'), put('b', '2')], 'synced')
        await store.close()
        const again = await reopen()
        expect(await texts(again, all)).toEqual(['a=', 'b=2'])
        await again.write([put('d', '4')], 'local')
        expect(await texts(again, all)).toEqual(['a=', 'b=2', 'd=4'])
      })

      test('closing waits for pending writes', async () => {
        const { store, reopen } = await fresh()
        const writes = ['a', 'b', 'c'].map((key) => store.write([put(key, '1')], 'synced'))
        await store.close()
        await Promise.all(writes)
        expect(await texts(await reopen(), all)).toEqual(['a=1', 'b=1', 'c=1'])
      })

      test('a closed store refuses every call with `closed`; closing it again is fine', async () => {
        const { store } = await fresh()
        await store.write([put('a', '1')], 'local')
        await store.close()
        await store.close()
        const closed = { code: 'closed' }
        await expect(store.get(utf8('a'))).rejects.toMatchObject(closed)
        await expect(store.scan(all)).rejects.toMatchObject(closed)
        await expect(store.write([put('a', '2')], 'local')).rejects.toMatchObject(closed)
      })
    })

    storeAttacks(fresh)

    test('behaves like a sorted list of pairs, also after reopening', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(anyWrite, { maxLength: 6 }), { maxLength: 6 }),
          anyRange,
          run,
        ),
        { numRuns: 60 },
      )
      async function run(batches: Write[][], range: KeyRange): Promise<void> {
        const { store, reopen } = await fresh()
        let model: Pairs = []
        for (const batch of batches) {
          const written = store.write(batch, 'local')
          for (const write of batch) model = applied(model, write)
          if (batch.length % 2 === 0) await written
        }
        await store.write([], 'local')
        const expected = selected(model, range)
        expect(await store.scan(range)).toEqual(expected)
        await store.close()
        const again = await reopen()
        expect(await again.scan(range)).toEqual(expected)
        const { from, to } = range
        expect(await again.count(range)).toBe(selected(model, { from, to }).length)
        for (const { key, value } of model) expect(await again.get(key)).toEqual(value)
        await again.close()
      }
    })
  })
}
