import {
  counter,
  list,
  map,
  record,
  register,
  set,
  tree,
  type Draft,
  type HandleOf,
  type Json,
  type Shape,
  type Value,
} from '@peerplane/core'
import fc from 'fast-check'
import { describe, test } from 'vitest'

import { changeOf, forgedOf, nestings } from './random-states.fixture.test.ts'
import { chosenOf, forgedListOp, listChange } from './list/changes.fixture.test.ts'
import {
  convergeByCommands,
  convergeByForgedOps,
  forgedRefs,
  type Change as ChangeOf,
} from './replicas.fixture.test.ts'

const shape = record({
  count: counter(),
  note: register(''),
  tags: set<Json>(),
  items: map(counter()),
  cards: map(
    record({
      title: register(''),
      votes: counter(),
      labels: set(),
      parts: map(register('')),
      steps: list(counter()),
    }),
  ),
  strict: map(set(), { wins: 'removal' }),
  outline: tree(register('')),
  threads: map(tree(counter())),
  rows: list(map(register(''))),
})
type Handle = HandleOf<typeof shape>
type Change = ChangeOf<Handle>

const key = fc.constantFrom('a', '__proto__', '7')
const text = fc.string({ unit: 'grapheme', maxLength: 3 })
const element = fc.constantFrom<Json>('p', '__proto__', 7, null, { a: [1] })
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.integer({ min: -3, max: 5 }).map((by) => (state: Handle) => state.count.increment(by)),
  text.map((value) => (state: Handle) => state.note.set(value)),
  element.map((each) => (state: Handle) => state.tags.add(each)),
  element.map((each) => (state: Handle) => state.tags.delete(each)),
  changeAt(fc.integer({ min: -1, max: 1 }), (k, by) => (state) => state.items.get(k).increment(by)),
  changeAt(fc.constant(0), (k) => (state) => state.items.delete(k)),
  changeAt(fc.constant(0), (k) => (state) => state.items.add(k)),
  changeAt(text, (k, value) => (state) => state.cards.get(k).title.set(value)),
  changeAt(fc.constant(1), (k, by) => (state) => state.cards.get(k).votes.increment(by)),
  changeAt(key, (k, label) => (state) => state.cards.get(k).labels.add(label)),
  changeAt(key, (k, label) => (state) => state.cards.get(k).labels.delete(label)),
  changeAt(text, (k, value) => (state) => state.cards.get(k).parts.get('x').set(value)),
  changeAt(fc.constant(0), (k) => (state) => state.cards.get(k).parts.delete('x')),
  changeAt(fc.constant(0), (k) => (state) => state.cards.delete(k)),
  changeAt(fc.constant(0), (k) => (state) => state.cards.add(k)),
  changeAt(key, (k, each) => (state) => state.strict.get(k).add(each)),
  changeAt(fc.constant(0), (k) => (state) => state.strict.delete(k)),
  fc.tuple(fc.nat(), fc.nat(), text).map(([at, to, value]) => ({ outline }: Handle) => {
    outline.insert(nodeIn(outline, to)).value.set(value)
    outline.delete(nodeIn(outline, at) ?? '')
  }),
  fc.tuple(fc.nat(), fc.nat()).map(([at, to]) => ({ outline }: Handle) => {
    const [key, parent] = [nodeIn(outline, at), nodeIn(outline, to)]
    const isBelow = key !== undefined && outline.children(key).includes(parent ?? '')
    if (key !== undefined && key !== parent && !isBelow) outline.move(key, parent)
  }),
  changeAt(fc.nat(), (k, at) => (state) => {
    const thread = state.threads.get(k)
    thread.insert(thread.children()[at % 2]).value.increment()
  }),
  changeAt(fc.constant(0), (k) => (state) => state.threads.delete(k)),
  fc.constant((_: Handle, draft: Draft) => draft.delete()),
  listChange((state: Handle) => state.rows),
  changeAt(text, (k, value) => ({ rows }) => {
    const row = chosenOf(rows, k.length)
    if (row !== undefined) rows.get(row).get(k).set(value)
  }),
  key.chain((k) => listChange((state: Handle) => state.cards.get(k).steps)),
)

const place = fc.constantFrom('a', '__proto__')
const generation = fc.constantFrom<readonly number[]>(
  [],
  [],
  [],
  [1],
  [2],
  [Number.MAX_SAFE_INTEGER],
  [0],
)
const removed = fc.oneof(forgedRefs, fc.constant(null))
const withGeneration = (op: fc.Arbitrary<readonly unknown[]>): fc.Arbitrary<Value> =>
  fc.tuple(op, generation).map(([list, last]) => [...list, ...last] as Value)
const inField = (name: string, op: fc.Arbitrary<Value>): fc.Arbitrary<Value> =>
  op.map((value) => [name, value])
const forgedRegister = fc.tuple(fc.constant(0), place, forgedRefs) as fc.Arbitrary<Value>
const forgedSet: fc.Arbitrary<Value> = fc.oneof(
  withGeneration(fc.tuple(fc.constant(1), place)),
  withGeneration(fc.tuple(fc.constant(2), place, removed)),
)
const forgedMap = (op: fc.Arbitrary<Value>): fc.Arbitrary<Value> =>
  fc.oneof(
    withGeneration(fc.tuple(fc.constant(3), place, op)),
    withGeneration(fc.tuple(fc.constant(3), place, op)),
    withGeneration(fc.tuple(fc.constant(4), place, removed)),
    withGeneration(fc.tuple(fc.constant(5), place)),
  )
const forgedOp: fc.Arbitrary<Value> = fc.oneof(
  inField('count', fc.oneof(fc.integer(), fc.constant(0.5))),
  inField('note', forgedRegister),
  inField('tags', forgedSet),
  inField('items', forgedMap(fc.integer())),
  inField('rows', forgedListOp(forgedMap(forgedRegister))),
  inField(
    'cards',
    forgedMap(
      fc.oneof(
        inField('title', forgedRegister),
        inField('labels', forgedSet),
        inField('parts', forgedMap(forgedRegister)),
        inField('steps', forgedListOp(fc.integer())),
        inField('unheard-of', fc.constant(0)),
      ),
    ),
  ),
)

const kinds: readonly (readonly [string, Shape])[] = [
  ['a counter', counter()],
  ['a set', set<Json>()],
  ['a map', map(register<Json>(''))],
  ['a record', record({ a: counter(), b: register<Json>(''), c: set<Json>() })],
]

describe('replicas converge to what the definition says, byte for byte, in whatever causal order', () => {
  test.each(kinds)('%s', (_, each) => convergeByCommands(each as Shape<object>, changeOf))
  test('all kinds in one record', () => convergeByCommands(shape, () => change))
  test('random nestings', () =>
    convergeByCommands(nestings as fc.Arbitrary<Shape<object>>, changeOf))
})

describe('replicas converge also when bodies name commits that they cannot know, break rules, and jump generations', () => {
  test.each(kinds)('%s', (_, each) => convergeByForgedOps(each, forgedOf))
  test('all kinds in one record', () => convergeByForgedOps(shape, () => forgedOp))
  test('random nestings', () => convergeByForgedOps(nestings, forgedOf))
})

/** A node of the top two levels, or none. */
function nodeIn(outline: Handle['outline'], at: number): string | undefined {
  const keys = outline.children().flatMap((key) => [key, ...outline.children(key)])
  return keys[at % (keys.length + 1)]
}

function changeAt<T>(
  value: fc.Arbitrary<T>,
  how: (key: string, value: T) => Change,
): fc.Arbitrary<Change> {
  return fc.tuple(key, value).map(([k, each]) => how(k, each))
}
