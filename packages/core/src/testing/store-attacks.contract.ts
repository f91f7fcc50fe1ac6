import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { concatBytes, equalBytes } from '../bytes.ts'
import { limits } from '../limits.ts'
import type { KeyRange, Write } from '../ports/store.ts'
import { anyStep, StoreHistory } from './store-history.ts'
import { all, anyKey, samePairs, selected, texts, written } from './store-model.ts'
import type { StoreFixture } from './store-model.ts'
import { utf8 } from '../text.ts'

/** Properties of a store under attack: part of `storeContract`. */
export function storeAttacks(fresh: () => Promise<StoreFixture>): void {
  describe('under attack', () => {
    test('whatever writes are pending, a read shows the effect of a prefix of the writes', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyStep, { minLength: 1, maxLength: 25 }), async (steps) => {
          const { store, reopen } = await fresh()
          const history = new StoreHistory()
          for (const step of steps) await history.take(store, step)
          await history.settle()
          expect(await store.scan(all)).toEqual(history.latest)
          await store.close()
          const again = await reopen()
          expect(await again.scan(all)).toEqual(history.latest)
          await again.close()
        }),
        { numRuns: 40 },
      )
    })

    test('the range of a prefix holds what begins with it, and nothing else', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyKey, { maxLength: 30 }), anyKey, async (keys, prefix) => {
          const { store } = await fresh()
          const tails = [[], [0], [255], [255, 255], [0, 0]].map((tail) => Uint8Array.from(tail))
          const near = tails.map((tail) => concatBytes(prefix, tail))
          const writes = [...keys, ...near].map((key) => ({ key, value: key }))
          await store.write(writes, 'local')
          const range = beginningWith(prefix)
          const found = await store.scan(range)
          const begins = (key: Uint8Array): boolean =>
            equalBytes(key.subarray(0, prefix.length), prefix)
          const everything = await store.scan(all)
          expect(found).toEqual(everything.filter(({ key }) => begins(key)))
          expect(await store.scan({ ...range, reverse: true })).toEqual(found.toReversed())
          await store.close()
        }),
        { numRuns: 40 },
      )
    })

    test('many keys: pages join without a gap or an overlap while all else is written and deleted', async () => {
      const { store, reopen } = await fresh()
      const count = 3000
      const keyOf = (i: number): Uint8Array => Uint8Array.of(7, i >> 8, i & 255)
      const value = utf8('stays')
      const order = Array.from({ length: count }, (_, i) => (i * 1237) % count)
      await store.write(
        order.map((i) => ({ key: keyOf(i), value })),
        'local',
      )
      const under: Promise<void>[] = []
      const found: number[] = []
      let from = keyOf(0)
      for (let round = 0; ; round++) {
        const page = await store.scan({ from, to: Uint8Array.of(8), limit: 250 })
        // Writes and deletions around the range, while it is being read.
        under.push(
          store.write(
            Array.from({ length: 20 }, (_, i) => ({
              key: Uint8Array.of(i % 2 === 0 ? 6 : 8, round),
              value: round % 2 === 0 ? value : undefined,
            })),
            'local',
          ),
        )
        found.push(...page.map(({ key }) => key[1]! * 256 + key[2]!))
        if (page.length < 250) break
        from = concatBytes(page.at(-1)!.key, Uint8Array.of(0))
      }
      await Promise.all(under)
      expect(found).toEqual(order.toSorted((a, b) => a - b))
      const odd = order.filter((i) => i % 2 === 1)
      await store.write(
        odd.map((i) => ({ key: keyOf(i), value: undefined })),
        'synced',
      )
      await store.close()
      expect(await (await reopen()).scan(beginningWith(Uint8Array.of(7)))).toHaveLength(count / 2)
    })

    test('large values among small ones, replaced by smaller and larger ones', async () => {
      const { store, reopen } = await fresh()
      const sizes = [0, 1, 4095, 4096, 65_537, limits.batchBytes, 2 * limits.batchBytes + 1]
      const writesOf = (turn: number): Write[] =>
        sizes.map((_, i) => {
          const length = sizes[(i + turn) % sizes.length]!
          return { key: Uint8Array.of(i), value: new Uint8Array(length).fill(turn + i) }
        })
      for (let turn = 0; turn < 3; turn++) {
        const written = store.write(writesOf(turn), turn % 2 === 0 ? 'synced' : 'local')
        const under = await store.scan(all)
        expect([0, sizes.length]).toContain(under.length)
        await written
        expect(isExactly(await store.scan(all), writesOf(turn))).toBe(true)
      }
      await store.close()
      expect(isExactly(await (await reopen()).scan(all), writesOf(2))).toBe(true)
    })
  })
}

/** A store whose process can die. */
export interface CrashFixture extends Pick<StoreFixture, 'store'> {
  /**
   * The process dies at the call, before the function returns its promise, and the store is opened again. The old store is
   * no longer used, and what it still answers does not count.
   */
  crash(): Promise<CrashFixture>
}

/** What every store does that outlives its process: what is left of a crash is a prefix of the writes with all that was acknowledged. */
export function storeCrashContract(name: string, open: () => Promise<CrashFixture>): void {
  test(`store contract: ${name} after crashes, one after the other, holds a prefix of the writes with all that was acknowledged`, async () => {
    const lives = fc.array(fc.array(anyStep, { maxLength: 12 }), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(lives, async (steps) => {
        let fixture = await open()
        let history = new StoreHistory()
        for (const life of steps) {
          for (const step of life) await history.take(fixture.store, step)
          const possible = history.possible()
          fixture = await fixture.crash()
          const left = await fixture.store.scan(all)
          expect(possible.map(written)).toContain(written(left))
          history = new StoreHistory(left)
        }
        await fixture.store.close()
      }),
      { numRuns: 40 },
    )
  })
}

/** A store whose disk can refuse. */
export interface FailureFixture extends StoreFixture {
  /** Calls `write` and lets its write fail; resolves or rejects as the write does. */
  fail(write: () => Promise<void>): Promise<void>
}

/** What every store does that goes on after a failed write. */
export function storeFailureContract(name: string, open: () => Promise<FailureFixture>): void {
  test(`store contract: ${name} does not show a write that failed, and takes the next one`, async () => {
    const { store, reopen, fail } = await open()
    const value = utf8('old')
    await store.write([{ key: utf8('a'), value }], 'synced')
    for (const durability of ['local', 'synced'] as const) {
      const failing = fail(() =>
        store.write(
          [
            { key: utf8('a'), value: undefined },
            { key: utf8('b'), value },
            { key: utf8('c'), value },
          ],
          durability,
        ),
      )
      await expect(failing).rejects.toMatchObject({
        code: expect.stringMatching(/^store-(failed|full)$/) as string,
      })
      expect((await texts(store, all)).filter((text) => !text.startsWith('d'))).toEqual(['a=old'])
      await store.write([{ key: utf8('d'), value: utf8(durability) }], durability)
      expect(await texts(store, all)).toEqual(['a=old', `d=${durability}`])
    }
    await store.close()
    const again = await reopen()
    const found = await texts(again, all)
    // A failed write may show after the next opening, as a whole.
    expect([
      ['a=old', 'd=synced'],
      ['b=old', 'c=old', 'd=synced'],
    ]).toContainEqual(found)
    await again.close()
  })
}

/** The keys that begin with `prefix`, up to its successor; there is none for a prefix of 255s. */
function beginningWith(prefix: Uint8Array): KeyRange {
  const last = prefix.findLastIndex((byte) => byte < 255)
  if (last < 0) return { from: prefix, to: all.to }
  const to = prefix.slice(0, last + 1)
  to[last]! += 1
  return { from: prefix, to }
}

/** Without the messages of an assertion: of megabytes they take minutes. */
const isExactly = (found: Parameters<typeof samePairs>[0], writes: readonly Write[]): boolean =>
  samePairs(
    found,
    selected(
      writes.map(({ key, value }) => ({ key, value: value! })),
      all,
    ),
  )
