import {
  document,
  type Body,
  type DocumentHandle,
  type Draft,
  type EntityState,
  type StateModel,
} from '@peerplane/core'
import { bodyAt, processorTime } from '@peerplane/core/testing'
import { beforeAll, expect, test } from 'vitest'

import { originOf } from './hostile.fixture.test.ts'
import { documentModel } from './model.ts'

type Handle = DocumentHandle<{ text: string }>
let model: StateModel
beforeAll(async () => {
  model = await documentModel(document({ text: 'begin' }))
})

/** What a device does with a command: it commits merges until the command can name all that is left. */
function command(
  state: EntityState,
  first: number,
  at: string | undefined,
  edit: (doc: Handle) => void,
): Body[] {
  const bodies: Body[] = []
  const commit = (draft: Draft): void => {
    bodies.push(bodyAt(originOf('alice', first + bodies.length), draft.finish()!))
  }
  for (;;) {
    const merge = state.merge!(originOf('alice', first + bodies.length))
    if (!merge) break
    commit(merge)
  }
  const draft = state.begin(originOf('alice', first + bodies.length), at)
  edit(draft.handle as Handle)
  commit(draft)
  return bodies
}

/** Each writes one character without having seen anything. */
async function strangers(count: number): Promise<Body[]> {
  const bodies: Body[] = []
  for (let number = 0; number < count; number++) {
    const state = await model.open(undefined)
    const draft = state.begin(originOf(`stranger ${number}`))
    ;(draft.handle as Handle).splice(['text'], 0, 0, 'x')
    bodies.push(bodyAt(originOf(`stranger ${number}`), draft.finish()!))
    state.close()
  }
  return bodies
}

test('after a thousand concurrent sessions, each commit of an honest write is small, and all others take it', async () => {
  const flood = await strangers(1_000)
  const state = await model.open(undefined)
  const [own] = command(state, 1, undefined, (doc) => doc.splice(['text'], 0, 0, 'own '))
  expect(state.fold(flood)).toEqual([])
  const { version, mirror } = state
  const start = processorTime()
  const bodies = command(state, 2, version, (doc) => {
    expect(doc.text).toBe((mirror as { text: string }).text)
    doc.splice(['text'], doc.text.length, 0, ' end')
  })
  expect(processorTime() - start).toBeLessThan(300)
  expect(bodies.length).toBeLessThan(20)
  expect(Math.max(...bodies.map(({ bytes }) => bytes.length))).toBeLessThan(2_300)
  expect(state.version).toHaveLength(64)

  const [next] = command(state, 2 + bodies.length, undefined, (doc) => {
    doc.splice(['text'], 0, 0, 'next ')
  })
  expect(next!.bytes.length).toBeLessThan(256)
  // In another order, and with what was stored in between.
  let other = await model.open(undefined)
  expect(other.fold(flood.toReversed())).toEqual([])
  expect(other.fold([own!, ...bodies.slice(0, 5)])).toEqual([])
  other = await model.open(other.snapshot())
  expect(other.fold([...bodies.slice(5), next!])).toEqual([])
  expect(other.mirror).toEqual(state.mirror)
  expect(other.version).toBe(state.version)
})

test('a merge changes nothing that is shown, and can be taken back', async () => {
  const state = await model.open(undefined)
  state.fold(await strangers(70))
  const { version, mirror } = state
  const first = state.merge!(originOf('alice'))!
  expect(first.finish()!.length).toBeGreaterThan(64 * 32)
  first.revert()
  expect(state.version).toBe(version)
  expect(state.mirror).toEqual(mirror)

  const shown = state.mirror
  const merge = state.merge!(originOf('alice'))!
  const bodies = [bodyAt(originOf('alice'), merge.finish()!)]
  expect(state.merge!(originOf('alice', 2))).toBeUndefined()
  expect(state.mirror).toBe(shown)
  // A command at what its caller saw before the merge builds on the merge.
  const draft = state.begin(originOf('alice', 2), version)
  ;(draft.handle as Handle).splice(['text'], 0, 0, 'new ')
  bodies.push(bodyAt(originOf('alice', 2), draft.finish()!))
  expect(bodies[1]!.bytes.length).toBeLessThan(512)
  expect(state.mirror).toEqual({ text: `new ${(mirror as { text: string }).text}` })
})
