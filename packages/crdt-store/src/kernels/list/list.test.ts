import { counter, list, record, register, type HandleOf, type Value } from '@peerplane/core'
import fc from 'fast-check'
import { describe, test } from 'vitest'

import { convergeByCommands, convergeByForgedOps, forgedRefs } from '../replicas.fixture.test.ts'
import { chosenOf, forgedListOp, listChange } from './changes.fixture.test.ts'

const shape = list(record({ title: register(''), parts: list(counter(), { wins: 'removal' }) }))
type Handle = HandleOf<typeof shape>

const elementAt = (state: Handle, at: number): ReturnType<Handle['get']> | undefined => {
  const key = chosenOf(state, at)
  return key === undefined ? undefined : state.get(key)
}

const rowChange = listChange((state: Handle) => state)
const titleChange = fc.record({ at: fc.nat(), title: fc.constantFrom('', 'a', 'b') }).map(
  ({ at, title }) =>
    (state: Handle) =>
      elementAt(state, at)?.title.set(title),
)
const change = fc.oneof(
  rowChange,
  rowChange,
  rowChange,
  titleChange,
  listChange((state: Handle, at) => elementAt(state, at)?.parts),
)

const inField = (name: string, op: fc.Arbitrary<Value>): fc.Arbitrary<Value> =>
  op.map((value) => [name, value])
const forgedOp = forgedListOp(
  fc.oneof(
    inField('title', fc.tuple(fc.constant(0), fc.constantFrom('a', 'b'), forgedRefs)),
    inField('parts', forgedListOp(fc.constantFrom(1, -1, 0.5))),
  ),
)

describe('lists of replicas', () => {
  test('converge to what the definition says, in whatever causal order', () =>
    convergeByCommands(shape, () => change))

  test('converge also when ops name what they cannot know, and break rules', () =>
    convergeByForgedOps(shape, () => forgedOp))
})
