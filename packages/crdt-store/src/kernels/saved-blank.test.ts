import {
  counter,
  decodeCanonical,
  encodeCanonical,
  fromHex,
  map,
  set,
  tree,
  type Body,
  type DeviceId,
  type EntityState,
  type HandleOf,
  type SessionId,
  type Value,
} from '@peerplane/core'
import { bodyAt } from '@peerplane/core/testing'
import { expect, test } from 'vitest'

import { nativeModel } from './native-model.ts'

/*
 * Snapshots of what shows nothing. They were found by a campaign over random nestings.
 */

const session = 'a'.repeat(32) as SessionId
const originOf = (seq: number): Body['origin'] => ({
  device: 'a'.repeat(64) as DeviceId,
  session,
  seq,
  time: { ms: seq, counter: 0 },
})

test('a removed entity that holds nothing begins a generation with its next change, also after a restart', async () => {
  const shape = set()
  const model = nativeModel(shape)
  const run = (
    state: EntityState,
    seq: number,
    change: (tags: HandleOf<typeof shape>) => void,
  ): Value => {
    const draft = state.begin(originOf(seq))
    change(draft.handle as HandleOf<typeof shape>)
    const bytes = draft.finish()!
    state.identify(bodyAt(originOf(seq), bytes))
    return decodeCanonical(bytes)
  }
  const first = await model.open(undefined)
  run(first, 1, (tags) => tags.add('x'))
  run(first, 2, (tags) => tags.delete('x'))
  const draft = first.begin(originOf(3))
  draft.delete()
  first.identify(bodyAt(originOf(3), draft.finish()!))
  const again = await model.open(first.snapshot())
  expect(again.snapshot()).toEqual(first.snapshot())
  const bodies = [first, again].map((state) => run(state, 4, (tags) => tags.add('y')))
  expect(bodies).toEqual([
    [[], [[1, 'y']], 1],
    [[], [[1, 'y']], 1],
  ])
})

test('a node that has not come, and of which nothing is known, is in no snapshot', async () => {
  const model = nativeModel(tree(map(counter())))
  const other = [fromHex('b'.repeat(32)), 1, new Uint8Array(8)]
  const body = (ops: readonly Value[]): Body =>
    bodyAt(originOf(1), encodeCanonical([other, [[15, null, [0, 0]], ...ops]]))
  const state = await model.open(undefined)
  // It removes a key that is not there.
  expect(state.fold([body([[17, [0, 1], [4, 'k', []]]])])).toEqual([])
  const reopened = await model.open(state.snapshot())
  expect(reopened.snapshot()).toEqual(state.snapshot())
})
