import type { SessionId } from '@peerplane/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { Void } from '../void.ts'
import {
  compareRanks,
  RANK_LEVELS,
  rankBetween,
  rankToValue,
  readRank,
  makerOf,
  type Maker,
  type Rank,
} from './rank.ts'

interface Item {
  readonly name: string
  readonly rank: Rank
}

let ops = 0

/** Puts an item at a place of a list that is sorted by rank. */
function put(list: readonly Item[], at: number, name: string, run: number): Item[] {
  const rank = rankBetween(list[at - 1]?.rank, list[at]?.rank, { run, op: ops++ })
  const next = [...list]
  next.splice(at, 0, { name, rank })
  return next
}

const sorted = (list: readonly Item[]): Item[] =>
  list.toSorted((a, b) => compareRanks(a.rank, b.rank))

const makerIn = (rank: Rank): Maker => ({ run: rank.at(-3)!, op: rank.at(-1)! })

const names = (list: readonly Item[]): string => list.map(({ name }) => name).join('')

const places = fc.array(fc.record({ at: fc.nat(), run: fc.nat(3) }), { maxLength: 120 })

describe('a rank', () => {
  test('lies between its neighbours, and is read as it was written', () => {
    fc.assert(
      fc.property(places, (steps) => {
        let list: Item[] = []
        for (const [i, { at, run }] of steps.entries()) {
          list = put(list, at % (list.length + 1), `${i}`, run)
          expect(sorted(list)).toEqual(list)
        }
        for (const { rank } of list) {
          expect(readRank(rankToValue(rank), makerIn(rank))).toEqual(rank)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('keeps what two sessions put into one gap apart, forwards and backwards', () => {
    const typing = fc.record({ isBackwards: fc.boolean(), count: fc.integer({ min: 1, max: 6 }) })
    fc.assert(
      fc.property(places, fc.nat(), typing, typing, (steps, choice, one, other) => {
        let base: Item[] = []
        for (const [i, { at, run }] of steps.slice(0, 20).entries()) {
          base = put(base, at % (base.length + 1), `${i},`, run)
        }
        const gap = choice % (base.length + 1)
        const typed = ({ isBackwards, count }: typeof one, name: string, run: number): Item[] => {
          let list = base
          for (let i = 0; i < count; i++) list = put(list, isBackwards ? gap : gap + i, name, run)
          return list.filter((each) => each.name === name)
        }
        const both = [...typed(one, 'a', 8), ...typed(other, 'b', 9)]
        const [a, b] = ['a'.repeat(one.count), 'b'.repeat(other.count)]
        const all = names(sorted([...base, ...both]))
        expect(all.includes(a + b) || all.includes(b + a)).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })

  test('stays short where many sessions add at the beginning, at the end, or at random', () => {
    let list: Item[] = []
    for (let i = 0; i < 1000; i++) list = put(list, i % 2 === 0 ? 0 : list.length, '', i)
    expect(Math.max(...list.map(({ rank }) => rank.length))).toBe(4)
    let random = 7
    for (let i = 0; i < 3000; i++) {
      random = (random * 48_271) % 0x7fff_ffff
      list = put(list, random % (list.length + 1), '', i)
    }
    expect(sorted(list)).toEqual(list)
    expect(Math.max(...list.map(({ rank }) => rank.length / 4))).toBeLessThan(RANK_LEVELS / 2)
  })

  test('comes after its neighbour if forged ranks leave no room', () => {
    const most = 2 ** 40
    const deep = Array.from({ length: RANK_LEVELS }, () => [most, 1, most, 1]).flat()
    const forged: readonly (readonly [Rank | undefined, Rank | undefined])[] = [
      [deep, undefined],
      [deep, [...deep.slice(0, -1), 2]],
      [undefined, [-most, 0, 0, 0]],
      [
        [1, 1, 1, 1],
        [1, 1, 1, 1],
      ],
      [
        [...deep.slice(0, -4), 5, 1, 1, 1],
        [...deep.slice(0, -4), 6, 1, 1, 1],
      ],
    ]
    for (const [before, after] of forged) {
      const rank = rankBetween(before, after, { run: 7, op: 7 })
      expect(readRank(rankToValue(rank), { run: 7, op: 7 })).toEqual(rank)
      expect(before === deep || compareRanks(before ?? [], rank) < 0).toBe(true)
    }
  })

  test('of a wrong form makes its op void', () => {
    const long = Array.from({ length: 128 + 2 }, () => 0)
    const wrong = [null, [], [1], [1, 2, 3], [0.5, 0], ['a', 0], [2 ** 53, 0], long]
    for (const value of wrong) expect(() => readRank(value, { run: 1, op: 1 })).toThrow(Void)
    const session = '0000002a'.padEnd(32, 'f') as SessionId
    expect(makerOf({ session, seq: 2 }, 3)).toEqual({ run: 42, op: 2 ** 15 + 3 })
  })
})
