import type { SessionId } from '@peerplane/core'
import { processorTime } from '@peerplane/core/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { NamedCommit } from '../commits.ts'
import { Order } from './order.ts'
import { Position, type Spot } from './position.ts'
import type { PositionId } from './position-id.ts'

/*
 * Replicas add positions at random places and receive each other's in random orders. The oracle is the definition: a tree of all positions, sorted
 * and walked from the start each time.
 */

class Journal {
  readonly #steps: (() => void)[] = []
  undo = (step: () => void): void => void this.#steps.push(step)
  revert(): void {
    while (this.#steps.length > 0) this.#steps.pop()!()
  }
}

interface Made {
  readonly id: PositionId
  readonly spot: Spot
  readonly name: string
}

const session = (n: number): SessionId => n.toString(16).padStart(32, '0') as SessionId
const COUNT = 20_000

const id = (by: number, seq: number): PositionId => ({ commit: commit(by, seq), index: 0 })

const commit = (by: number, seq: number): NamedCommit =>
  new NamedCommit(session(by), seq, `${by}${seq % 10}`.repeat(8))

/** A position that a session names as one of its own, and that it has never made. */
const neverMade = (by: number): PositionId => ({
  commit: new NamedCommit(session(by), 1, ''),
  index: 9,
})

const add = (order: Order<string>, { id, spot, name }: Made, journal = new Journal()): void =>
  void order.add(new Position(id, name), spot, journal)

const texts = (order: Order<string>): string[] => {
  const list: string[] = []
  for (let at = order.next(undefined); at; at = order.next(at)) list.push(at.owner)
  return list
}

const backwards = (order: Order<string>): string[] => {
  const list: string[] = []
  for (let at = order.previous(undefined); at; at = order.previous(at)) list.unshift(at.owner)
  return list
}

/** The walk through the tree of all positions, by definition. */
function oracle(made: readonly Made[]): string[] {
  const nowhere = made.map(({ spot }) => spot.parent).filter((id) => id?.commit.prefix === '')
  const atRoot = new Set<PositionId | undefined>([undefined, ...nowhere])
  const isSame = (a: PositionId | undefined, b: PositionId | undefined): boolean =>
    a?.commit.key === b?.commit.key && a?.index === b?.index
  const below = (parent: PositionId | undefined, side: Spot['side']): string[] =>
    made
      .filter(({ spot }) =>
        parent ? isSame(spot.parent, parent) && spot.side === side : atRoot.has(spot.parent),
      )
      .sort(
        ({ id: a }, { id: b }) =>
          (a.commit.session < b.commit.session
            ? -1
            : a.commit.session > b.commit.session
              ? 1
              : 0) ||
          a.commit.seq - b.commit.seq ||
          a.index - b.index,
      )
      .flatMap(({ id, name }) => [...below(id, 'before'), name, ...below(id, 'after')])
  return below(undefined, 'after')
}

const step = fc.record({
  by: fc.nat(2),
  deliver: fc.boolean(),
  at: fc.nat(),
  side: fc.constantFrom('before' as const, 'after' as const),
  isDirect: fc.boolean(),
})

describe('an order', () => {
  test('is the walk through the tree, in whatever order positions are added', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.infiniteStream(fc.nat()),
        (steps, choices) => {
          const replicas = [0, 1, 2].map(() => ({
            order: new Order<string>(2),
            known: [] as Made[],
          }))
          const made: Made[][] = [[], [], []]
          for (const { by, deliver, at, side, isDirect } of steps) {
            const { order, known } = replicas[by]!
            if (deliver) {
              const from = at % 3
              const next = made[from]!.find((each) => !known.includes(each))
              if (next) {
                add(order, next)
                known.push(next)
              }
              continue
            }
            const target = known[at % (known.length + 1)]
            const stands = target && order.get(target.id)
            const isPlaced = stands?.parent !== undefined
            const beside = isPlaced ? stands : undefined
            const spot: Spot = isDirect
              ? { parent: target?.id ?? (at % 2 === 0 ? undefined : neverMade(by)), side }
              : side === 'before'
                ? order.spotBefore(beside)
                : order.spotAfter(beside)
            const seq = made[by]!.length + 1
            const one = {
              id: { commit: commit(by, seq), index: at % 3 },
              spot,
              name: `${by}${seq}`,
            }
            made[by]!.push(one)
            known.push(one)
            const expected =
              isDirect || !beside
                ? undefined
                : texts(order).flatMap((name) => {
                    if (name !== beside.owner) return [name]
                    return side === 'after' ? [name, one.name] : [one.name, name]
                  })
            add(order, one)
            expect(texts(order)).toEqual(expected ?? texts(order))
          }
          const all = made.flat()
          for (const { order, known } of replicas) {
            while (known.length < all.length) {
              const from = choices.next().value! % 3
              const next = made[from]!.find((each) => !known.includes(each))
              if (!next) continue
              const journal = new Journal()
              const [before, waiting] = [texts(order), order.waiting()]
              add(order, next, journal)
              journal.revert()
              expect(texts(order)).toEqual(before)
              expect(order.waiting()).toEqual(waiting)
              add(order, next)
              known.push(next)
            }
            expect(texts(order)).toEqual(oracle(all))
            expect(backwards(order)).toEqual(oracle(all))
            expect([...order.placed()].map(({ owner }) => owner)).toEqual(
              [...replicas[0]!.order.placed()].map(({ owner }) => owner),
            )
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  test.each(['after', 'before'] as const)(
    'keeps what is typed at one place together, each %s the one before',
    (side) => {
      const start: Made = {
        id: id(9, 1),
        spot: { parent: undefined, side: 'after' },
        name: '|',
      }
      const typed = [1, 2, 3].map((by) => {
        const order = new Order<string>()
        add(order, start)
        let last: PositionId = start.id
        return Array.from({ length: 5 }, (_, i): Made => {
          const beside = order.get(last)
          const spot = side === 'after' ? order.spotAfter(beside) : order.spotBefore(beside)
          const made = { id: id(by, i + 1), spot, name: `${by}` }
          add(order, made)
          last = made.id
          return made
        })
      })
      const merged = new Order<string>()
      for (const made of [start, ...typed.flat()]) add(merged, made)
      const runs = ['11111', '22222', '33333'].join('')
      expect(texts(merged).join('')).toBe(side === 'after' ? `|${runs}` : `${runs}|`)
    },
  )

  // Without edges, each of the additions would walk to the end of the row.
  test.each(['one row', 'one place', 'one place of a second session'])(
    'takes additions at the same cost, however many are at a place: %s',
    (where) => {
      const order = new Order<string>()
      const chain = Array.from({ length: COUNT }, (_, i): Made => {
        const parent = i > 0 && where === 'one row' ? id(2, i) : i > 0 ? id(2, 1) : undefined
        return { id: id(2, i + 1), spot: { parent, side: 'after' }, name: '' }
      })
      const hostile = Array.from({ length: COUNT }, (_, i): Made => {
        const parent = id(2, where === 'one row' ? i + 1 : 1)
        const by = { 'one row': 3, 'one place': 2 }[where] ?? 1
        return { id: id(by, COUNT + i + 1), spot: { parent, side: 'after' }, name: '' }
      })
      const perAddition = (list: readonly Made[]): number => {
        const start = processorTime()
        for (const each of list) add(order, each)
        return (processorTime() - start) / list.length
      }
      const first = perAddition(chain)
      expect(perAddition(hostile) / first).toBeLessThan(8)
    },
  )
})
