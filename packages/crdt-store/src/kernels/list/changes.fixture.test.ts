import type { ListHandle, Value, Where } from '@peerplane/core'
import fc from 'fast-check'

import { forgedRefs, type Change } from '../replicas.fixture.test.ts'

/** Inserts, moves or deletes an element of the list that `listOf` gives; `at` is random. */
export const listChange = <Handle>(
  listOf: (state: Handle, at: number) => ListHandle<unknown> | undefined,
): fc.Arbitrary<Change<Handle>> =>
  fc
    .record({
      list: fc.nat(),
      element: fc.nat(),
      beside: fc.nat(),
      where: fc.constantFrom('first', 'last', 'before', 'after'),
      what: fc.constantFrom('insert', 'insert', 'move', 'delete'),
    })
    .map(({ list, element, beside, where, what }) => (state) => {
      const target = listOf(state, list)
      if (!target) return
      const key = chosenOf(target, element)
      const place = placeOf(where, chosenOf(target, beside))
      if (what === 'insert' || key === undefined) target.insert(place)
      else if (what === 'move') target.move(key, place)
      else target.delete(key)
    })

/** One of the keys of a list. */
export const chosenOf = ({ keys }: ListHandle<unknown>, at: number): string | undefined =>
  keys[at % keys.length]

function placeOf(where: string, key: string | undefined): Where {
  if (where === 'first' || key === undefined) return 'first'
  if (where === 'last') return 'last'
  return where === 'before' ? { before: key } : { after: key }
}

/** Names of what ops of these and of other sessions make, and of what no op makes. */
const forgedId = fc.tuple(fc.integer({ min: -4, max: 23 }), fc.nat(3))
const forgedSpot: fc.Arbitrary<readonly number[]> = fc.oneof(
  fc.constant([]),
  fc.constantFrom([2, -1, 0], [0], [1, 0]),
  ...Array.from({ length: 4 }, () =>
    fc.tuple(fc.nat(1), forgedId).map(([side, id]) => [side, ...id]),
  ),
)

/** An op on a list whose elements take `op`. */
export const forgedListOp = (op: fc.Arbitrary<Value>): fc.Arbitrary<Value> =>
  fc.oneof(
    forgedSpot.map((spot): Value => [10, ...spot]),
    forgedSpot.map((spot): Value => [10, ...spot]),
    fc.tuple(op, forgedId).map(([inner, id]): Value => [11, inner, ...id]),
    fc
      .tuple(forgedRefs, forgedId, forgedSpot)
      .map(([names, id, spot]): Value => [12, names, ...id, ...spot]),
    fc
      .tuple(fc.oneof(forgedRefs, fc.constant(null)), forgedId)
      .map(([names, id]): Value => [13, names, ...id]),
  )
