import {
  counter,
  list,
  map,
  record,
  register,
  set,
  tree,
  flag,
  growOnlyCounter,
  growOnlySet,
  multiValueRegister,
  text,
  vote,
  type Json,
  type Shape,
  type Value,
} from '@peerplane/core'
import fc from 'fast-check'

import { most } from './case.fixture.test.ts'
import { custom, reverse } from './small-kinds.fixture.test.ts'

const refs = fc.uniqueArray(fc.nat(5), { maxLength: 3 })
const element = fc.constantFrom('x', 'y')
const generation = fc.constantFrom<readonly number[]>([], [], [], [1], [2], [most], [0])
export const removed = fc.oneof({ arbitrary: refs, weight: 3 }, fc.constant(null))
const withGeneration = (op: fc.Arbitrary<readonly unknown[]>): fc.Arbitrary<Value> =>
  fc.tuple(op, generation).map(([list, last]) => [...list, ...last] as Value)
const ops = {
  register: fc.tuple(fc.constant(0), fc.string({ maxLength: 2 }), refs),
  set: fc.oneof(
    withGeneration(fc.tuple(fc.constant(1), element)),
    withGeneration(fc.tuple(fc.constant(2), element, removed)),
  ),
  counter: fc.integer({ min: -9, max: 9 }),
}
const inMap = (op: fc.Arbitrary<Value>): fc.Arbitrary<Value> =>
  fc.oneof(
    { arbitrary: withGeneration(fc.tuple(fc.constant(3), element, op)), weight: 3 },
    withGeneration(fc.tuple(fc.constant(4), element, removed)),
    withGeneration(fc.tuple(fc.constant(5), element)),
  )
const spot = fc.oneof(fc.constant([]), {
  arbitrary: fc.tuple(fc.nat(1), fc.integer({ min: -3, max: 5 }), fc.nat(3)),
  weight: 3,
})
const id = fc.tuple(fc.integer({ min: -3, max: 5 }), fc.nat(3))
const inList = (op: fc.Arbitrary<Value>): fc.Arbitrary<Value> =>
  fc.oneof(
    { arbitrary: spot.map((at): Value => [10, ...at]), weight: 3 },
    fc.tuple(op, id).map(([inner, of]): Value => [11, inner, ...of]),
    fc.tuple(refs, id, spot).map(([list, of, at]): Value => [12, list, ...of, ...at]),
    fc.tuple(removed, id).map(([list, of]): Value => [13, list, ...of]),
  )
const nodeName = fc.tuple(fc.integer({ min: -3, max: 5 }), fc.nat(3))
const parentName = fc.oneof(fc.constant(null), { arbitrary: nodeName, weight: 3 })
const rank = fc.constantFrom<readonly number[]>([0, 0], [0, 0], [0, 1], [5, 0], [0, 7, 0, 1, 0, 0])
const inTree = (op: fc.Arbitrary<Value>): fc.Arbitrary<Value> =>
  fc.oneof(
    { arbitrary: fc.tuple(fc.constant(15), parentName, rank), weight: 4 },
    { arbitrary: fc.tuple(fc.constant(16), nodeName, parentName, rank, refs), weight: 3 },
    fc.tuple(fc.constant(17), nodeName, op),
    fc.tuple(fc.constant(18), nodeName, removed),
    fc.tuple(fc.constant(19), nodeName),
  )
const words = fc.constantFrom('x', 'yz', '👍', '')
const onText: fc.Arbitrary<Value> = fc.oneof(
  { arbitrary: fc.tuple(words, spot).map(([added, at]): Value => [30, added, ...at]), weight: 3 },
  fc.tuple(id, id).map(([first, last]): Value => [31, ...first, ...last]),
  fc.tuple(id, fc.nat(2)).map(([[ref, at], by]): Value => [31, ref, at, ref, at + by]),
)
const fields = { r: register('initial'), c: counter(), s: set() }
const fieldOps = fc.oneof(
  fc.tuple(fc.constant('r'), ops.register),
  fc.tuple(fc.constant('c'), ops.counter),
  fc.tuple(fc.constant('s'), ops.set),
  fc.tuple(fc.constant('undeclared'), fc.constantFrom<Value>(null, [2], ['x', [4, 1]])),
)
const value = fc.constantFrom<Value>('x', 7, null, { a: [1] }, -0.5)

const smallKinds: readonly [string, Shape, fc.Arbitrary<Value>][] = [
  [
    'register with the reverse clock',
    register<Json, 'reverse'>('initial', reverse),
    fc.tuple(fc.constant(0), value, refs, fc.constant(null)),
  ],
  [
    'register with a custom clock',
    register<Json, 'custom'>('initial', custom),
    fc.tuple(fc.constant(0), value, refs, fc.constantFrom(0, 1, 2, most)),
  ],
  [
    'multi-value register',
    multiValueRegister<Json>('initial'),
    fc.tuple(fc.constant(25), value, refs),
  ],
  ['flag', flag(), fc.tuple(fc.constantFrom(20, 21), refs)],
  ['flag where disabling wins', flag({ wins: 'disable' }), fc.tuple(fc.constantFrom(22, 23), refs)],
  ['vote', vote(), fc.tuple(fc.constant(24), fc.boolean())],
  ['grow-only counter', growOnlyCounter(), fc.tuple(fc.constant(26), fc.constantFrom(0, 1, most))],
  ['grow-only set', growOnlySet<Json>(), fc.tuple(fc.constant(27), value)],
  [
    'set of any values',
    set<Json>(),
    fc.oneof(
      fc.tuple(fc.constant(1), value),
      fc.tuple(fc.constant(2), value, fc.oneof(refs, fc.constant(null))),
    ),
  ],
]
/** Random ops of each kind. */
export const random: readonly [string, Shape, fc.Arbitrary<Value>][] = [
  ['register', register('initial'), ops.register],
  ['set', set(), ops.set],
  ['counter', counter(), ops.counter],
  ['record', record(fields), fieldOps],
  ['map of registers', map(register('')), inMap(ops.register)],
  ['map of counters', map(counter()), inMap(ops.counter)],
  ['map of sets', map(set()), inMap(ops.set)],
  ['map of records', map(record(fields)), inMap(fieldOps)],
  ['map of maps', map(map(counter())), inMap(inMap(ops.counter))],
  ['list of registers', list(register('')), inList(ops.register)],
  ['tree of registers', tree(register('')), inTree(ops.register)],
  ['tree of trees in a map', map(tree(tree(counter()))), inMap(inTree(inTree(ops.counter)))],
  ['list of maps of lists', list(map(list(counter()))), inList(inMap(inList(ops.counter)))],
  ['text', text(), onText],
  ['map of texts', map(text()), inMap(onText)],
  ...smallKinds,
]
/** Ops of other kinds, and ops that break a rule. */
export const strange = fc.constantFrom<Value>(
  7,
  0.5,
  [0, 'v', []],
  [0, 'v', [9]],
  [0, 'v', [], null],
  [0, 'v', [9], 0.5],
  [1, 'x', 1, 1],
  [3, 'x', [1, 'y', []]],
  [3, 'x', [1, 'y']],
  [3, 4, 5],
  [3, 'x', 5, 0],
  [3, 'x', [9]],
  [4, 'x', ['y', []]],
  [4, 'x', null, most],
  [5, 'x', 0.5],
  [6, 'x'],
  [6, []],
  ['r', [6, null]],
  [21, [9]],
  [23, 'x'],
  [24, 0],
  [25, 'v', 1],
  [26, -1],
  [27, { $bytes: 'AA' }],
  [30, ''],
  [30, 'x', 0, 9, 0],
  [31, 0, 0],
  [31, -1, 0, -1, 0.5],
  ['r', 1],
  ['c', [0, 'v', [9]]],
  ['r', 1, 1],
  [1, null],
  new Uint8Array(2),
  null,
)
