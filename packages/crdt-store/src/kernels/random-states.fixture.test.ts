import {
  counter,
  flag,
  growOnlyCounter,
  growOnlySet,
  jsonToValue,
  list,
  map,
  multiValueRegister,
  record,
  register,
  set,
  text,
  tree,
  vote,
  type AutoIncrementHandle,
  type CounterHandle,
  type FlagHandle,
  type GrowOnlyCounterHandle,
  type GrowOnlySetHandle,
  type Json,
  type ListHandle,
  type MapHandle,
  type MultiValueRegisterHandle,
  type RegisterHandle,
  type SetHandle,
  type Shape,
  type ShapeKinds,
  type TextHandle,
  type TreeHandle,
  type Value,
  type VoteHandle,
  type Where,
} from '@peerplane/core'
import fc from 'fast-check'

import type { NativeKind } from './kernel.ts'
import type { Change } from './replicas.fixture.test.ts'

/*
 * For any shape, however nested: random changes that a handler makes, and random ops that no handler makes.
 */

/** Returns a whole number from 0 to `below - 1`. */
type Choose = (below: number) => number

/** A change of a state of any shape. */
export const changeOf = (shape: Shape): fc.Arbitrary<Change<object>> =>
  fc.nat().map((seed) => (state: object) => change(shape, state, chooser(seed)))

/** An op for a state of any shape. It may name what its author cannot know, and break a rule. */
export const forgedOf = (shape: Shape): fc.Arbitrary<Value> =>
  fc.nat().map((seed) => forge(shape, chooser(seed)))

/** Shapes in which kinds are nested up to four levels deep. */
export const nestings: fc.Arbitrary<Shape> = fc.nat().map((seed) => nesting(chooser(seed), 3))

/** A number as a source of choices. */
function chooser(seed: number): Choose {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const one = <T>(items: readonly T[], choose: Choose): T => items[choose(items.length)]!

const plain: readonly (() => Shape)[] = [
  counter,
  growOnlyCounter,
  () => register<Json>(''),
  () => register<Json, 'reverse'>('', { clock: 'reverse' }),
  () => register<Json, 'custom'>('', { clock: 'custom' }),
  () => multiValueRegister<Json>(''),
  flag,
  () => flag({ wins: 'disable' }),
  vote,
  () => set<Json>(),
  () => growOnlySet<Json>(),
  text,
]

/** A kind that has others in it, with others in it. */
function nesting(choose: Choose, levels: number): Shape {
  const inner = (): Shape =>
    levels === 0 || choose(3) === 0 ? one(plain, choose)() : nesting(choose, levels - 1)
  const wins = choose(4) === 0 ? 'removal' : 'update'
  const kinds: readonly (() => Shape)[] = [
    () => map(inner(), { wins }),
    () => list(inner(), { wins }),
    () => tree(inner(), { wins }),
    () => record({ a: inner(), b: inner() }),
  ]
  return one(kinds, choose)()
}

const keys = ['a', '__proto__', '7']
const elements: readonly Json[] = ['p', '__proto__', 7, null, { a: [1] }, { $bytes: 'AP8' }]
const values: readonly Json[] = ['', 'x', 7, null, [1, 'y'], { a: { $bytes: 'AP8' } }]
const words = ['a', 'bc', 'def ', '👍', 'x\u0301y', '']
const clocks = [0, 1, 2, Number.MAX_SAFE_INTEGER]

type Changes = {
  readonly [Kind in NativeKind]: (shape: ShapeKinds[Kind], state: never, choose: Choose) => void
}

const change = (shape: Shape, state: object, choose: Choose): void =>
  changes[shape.kind as NativeKind](shape as never, state as never, choose)

const changes: Changes = {
  counter: (_, state: CounterHandle, choose) => state.increment(choose(9) - 3),
  'grow-only-counter': (_, state: GrowOnlyCounterHandle, choose) => state.increment(choose(4)),
  register({ clock = 'default' }, state: RegisterHandle<Json>, choose) {
    const value = one(values, choose)
    if (!clock.startsWith('custom')) state.set(value)
    else (state as AutoIncrementHandle<Json>).set(value, choose(4))
  },
  'multi-value-register': (_, state: MultiValueRegisterHandle<Json>, choose) =>
    state.set(one(values, choose)),
  flag: (_, state: FlagHandle, choose) => (choose(2) === 0 ? state.enable() : state.disable()),
  vote: (_, state: VoteHandle, choose) => state.vote(choose(2) === 0),
  set(_, state: SetHandle<Json>, choose) {
    const element = one(elements, choose)
    if (choose(3) === 0) state.delete(element)
    else state.add(element)
  },
  'grow-only-set': (_, state: GrowOnlySetHandle<Json>, choose) => state.add(one(elements, choose)),
  text(_, state: TextHandle, choose) {
    const characters = Array.from(state.value)
    const from = choose(characters.length + 1)
    const at = characters.slice(0, from).join('').length
    const until = characters.slice(0, from + choose(4)).join('').length
    const added = one(words, choose)
    const what = choose(4)
    if (what === 0) state.set(state.value.slice(0, at) + added + state.value.slice(until))
    else if (what === 1) state.insert(state.positionAt(at, 'previous'), added)
    else state.splice(at, until - at, added)
  },
  map({ value }, state: MapHandle<object>, choose) {
    const key = one(keys, choose)
    const what = choose(6)
    if (what === 0) state.delete(key)
    else if (what === 1) state.add(key)
    else change(value, state.get(key), choose)
  },
  list({ item }, state: ListHandle<object>, choose) {
    const key = one(state.keys, choose)
    const what = choose(7)
    const where = whereOf(state.keys, choose)
    if (key === undefined || what < 2) change(item, state.insert(where).value, choose)
    else if (what === 2) state.delete(key)
    else if (what < 5) state.move(key, where)
    else change(item, state.get(key), choose)
  },
  tree({ node }, state: TreeHandle<object>, choose) {
    const all = below(state)
    const key = one(all, choose)
    const parent = [...all, undefined][choose(all.length + 1)]
    const what = choose(7)
    if (key === undefined || what < 2) change(node, state.insert(parent).value, choose)
    else if (what === 2) state.delete(key)
    else if (what > 4) change(node, state.get(key), choose)
    else if (![key, ...below(state, key)].includes(parent!)) {
      const siblings = state.children(parent).filter((each) => each !== key)
      state.move(key, parent, whereOf(siblings, choose))
    }
  },
  record({ fields }, state: { readonly [name: string]: object }, choose) {
    const name = one(Object.keys(fields), choose)
    change(fields[name]!, state[name]!, choose)
  },
}

/** The keys of all nodes, or of those below a node. */
const below = (state: TreeHandle<object>, parent?: string): string[] =>
  state.children(parent).flatMap((key) => [key, ...below(state, key)])

function whereOf(siblings: readonly string[], choose: Choose): Where {
  const beside = one(siblings, choose)
  const what = choose(4)
  if (beside === undefined || what < 2) return what === 0 ? 'first' : 'last'
  return what === 2 ? { before: beside } : { after: beside }
}

type Forges = {
  readonly [Kind in NativeKind]: (shape: ShapeKinds[Kind], choose: Choose) => Value
}

const forge = (shape: Shape, choose: Choose): Value =>
  forges[shape.kind as NativeKind](shape as never, choose)

const forges: Forges = {
  counter: (_, choose) => one([1, 2, -3, 0.5], choose),
  'grow-only-counter': (_, choose) => [26, one([0, 1, 5, Number.MAX_SAFE_INTEGER, -1], choose)],
  register({ clock = 'default' }, choose) {
    const last = { default: [], reverse: [null] }[clock as 'default'] ?? [one(clocks, choose)]
    return [0, jsonToValue(one(values, choose)), names(choose), ...last]
  },
  'multi-value-register': (_, choose) => [25, jsonToValue(one(values, choose)), names(choose)],
  flag: ({ wins = 'enable' }, choose) => [(wins === 'enable' ? 20 : 22) + choose(2), names(choose)],
  vote: (_, choose) => [24, choose(2) === 0],
  set: (_, choose) =>
    choose(2) === 0
      ? [1, jsonToValue(one(elements, choose)), ...generation(choose)]
      : [2, jsonToValue(one(elements, choose)), removed(choose), ...generation(choose)],
  'grow-only-set': (_, choose) => [27, jsonToValue(one(elements, choose))],
  text: (_, choose) =>
    choose(3) === 0 ? [31, ...rangeOf(choose)] : [30, one(words, choose), ...spot(choose)],
  map({ value }, choose) {
    const key = one(keys, choose)
    const what = choose(6)
    if (what === 0) return [4, key, removed(choose), ...generation(choose)]
    if (what === 1) return [5, key, ...generation(choose)]
    return [3, key, forge(value, choose), ...generation(choose)]
  },
  list({ item }, choose) {
    const what = choose(7)
    if (what < 2) return [10, ...spot(choose)]
    if (what < 4) return [11, forge(item, choose), ...idOf(choose)]
    if (what < 6) return [12, names(choose), ...idOf(choose), ...spot(choose)]
    return [13, removed(choose), ...idOf(choose)]
  },
  tree({ node }, choose) {
    const parent = choose(4) === 0 ? null : idOf(choose)
    const rank = one([[0, 0], [0, 0], [0, 1], [5, 0], [0, 7, 0, 1, 0, 0], [0]], choose)
    const what = choose(9)
    if (what < 2) return [15, parent, rank]
    if (what < 5) return [16, idOf(choose), parent, rank, names(choose)]
    if (what < 7) return [17, idOf(choose), forge(node, choose)]
    return what === 7 ? [18, idOf(choose), removed(choose)] : [19, idOf(choose)]
  },
  record({ fields }, choose) {
    const name = one([...Object.keys(fields), ...Object.keys(fields), 'unheard-of'], choose)
    return [name, fields[name] ? forge(fields[name], choose) : 0]
  },
}

/** Refs to commits that exist, that do not, and that have another prefix. */
const names = (choose: Choose): number[] =>
  [...new Set(Array.from({ length: choose(4) }, () => choose(24)))].sort((a, b) => a - b)

const removed = (choose: Choose): Value => (choose(5) === 0 ? null : names(choose))

const generation = (choose: Choose): readonly number[] =>
  one([[], [], [], [], [1], [2], [Number.MAX_SAFE_INTEGER], [0]], choose)

const idOf = (choose: Choose): readonly [number, number] => [choose(28) - 4, choose(3)]

/** Mostly of one commit. */
function rangeOf(choose: Choose): readonly number[] {
  const [commit, offset] = idOf(choose)
  const last = choose(3) === 0 ? idOf(choose) : [commit, offset + choose(2)]
  return [commit, offset, ...last]
}

const spot = (choose: Choose): readonly number[] =>
  choose(4) === 0 ? [] : [choose(2), ...idOf(choose)]
