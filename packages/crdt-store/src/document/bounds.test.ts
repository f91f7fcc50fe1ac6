import {
  document,
  limits,
  type Body,
  type DocumentHandle,
  type EntityState,
  type Json,
  type StateModel,
} from '@peerplane/core'
import { bodyAt } from '@peerplane/core/testing'
import { beforeAll, expect, test } from 'vitest'

import { encodeBody } from './body.ts'
import { actorOf } from './intake.ts'
import { originOf, sessionOf } from './hostile.fixture.test.ts'
import { automerge } from './automerge.ts'
import { innerModel } from './inner-model.fixture.test.ts'
import { decodeSnapshot } from './snapshot.ts'

interface Content {
  readonly [key: string]: Json
  text: string
  map: { [key: string]: Json }
}
const shape = document<Content>({ text: '', map: {} })
let model: StateModel
beforeAll(async () => {
  model = await innerModel(shape)
})

function write(
  state: EntityState,
  [name, seq]: readonly [name: string, seq: number],
  edit: (doc: DocumentHandle<Content>) => void,
  at?: string,
): Body {
  const draft = state.begin(originOf(name, seq), at)
  try {
    edit(draft.handle as DocumentHandle<Content>)
    return bodyAt(originOf(name, seq), draft.finish()!)
  } catch (error) {
    draft.revert()
    throw error
  }
}

/** Bodies of a session each of which sets a key without knowing of the others. */
async function branches(start: EntityState, name: string, count: number): Promise<Body[]> {
  const library = await automerge()
  const replica = library.getBackend(library.init({ actor: actorOf(sessionOf(name)) }))
  const first = write(start, ['alice', 1], (doc) => (doc.map['y'] = 0))
  const reader = await model.open(undefined)
  reader.fold([first])
  const { saved } = decodeSnapshot(reader.snapshot())
  replica.loadIncremental(saved)
  const heads = replica.getHeads()
  return [
    first,
    ...Array.from({ length: count }, (_, i) => {
      replica.isolate(heads)
      replica.put('/map', 'y', i)
      const chunk = replica.getChangeByHash(replica.commit(null, 0)!)!
      replica.integrate()
      return bodyAt(originOf(name, i + 1), encodeBody({ chunks: chunk, tree: undefined }))
    }),
  ]
}

test('a session has at most so many concurrent changes, and an honest change then names few', async () => {
  const state = await model.open(undefined)
  const bodies = await branches(await model.open(undefined), 'mallory', 100)
  expect(state.fold(bodies)).toEqual(bodies.slice(2 + limits.documentBranches))
  const body = write(state, ['bob', 1], (doc) => (doc.map['y'] = 'mine'))
  expect(body.bytes.length).toBeLessThan(4_096)
  expect(state.mirror).toMatchObject({ map: { y: 'mine' } })
  const again = write(state, ['bob', 2], (doc) => (doc.map['y'] = 'again'))
  expect(again.bytes.length).toBeLessThan(256)
})

test('a command at a version without too many changes of its own session is refused', async () => {
  const state = await model.open(undefined)
  const { version } = state
  const edit = (doc: DocumentHandle<Content>): void => doc.splice(['text'], 0, 0, 'x')
  const bodies = Array.from({ length: limits.documentBranches + 1 }, (_, i) =>
    write(state, ['alice', i + 1], edit, version),
  )
  const before = state.mirror
  expect(() => write(state, ['alice', 99], edit, version)).toThrow(
    expect.objectContaining({ code: 'invalid-input' }),
  )
  expect(state.mirror).toEqual(before)
  const reader = await model.open(undefined)
  expect(reader.fold(bodies)).toEqual([])
  expect(reader.mirror).toEqual(before)
})

test('two people who set one key in turn are never refused, whenever the document is opened again', async () => {
  let [a, b] = [await model.open(undefined), await model.open(undefined)]
  const voids: Body[] = []
  for (let seq = 1; seq < 40; seq++) {
    const isLate = seq % 3 === 0
    const first = write(a, ['alice', seq], (doc) => (doc.map['y'] = seq))
    if (!isLate) voids.push(...b.fold([first]))
    const second = write(b, ['bob', seq], (doc) => (doc.map['y'] = -seq))
    if (isLate) voids.push(...b.fold([first]))
    voids.push(...a.fold([second]))
    if (seq % 5 === 0) a = await model.open(a.snapshot())
    if (seq % 7 === 0) b = await model.open(b.snapshot())
    expect(a.mirror).toEqual(b.mirror)
  }
  expect(voids).toEqual([])
})

test('a session that makes too much is void from there on, and a document that holds too much is given up', async () => {
  const real = { ...limits }
  try {
    Object.assign(limits, {
      documentSessionOps: 3_000,
      documentAllOps: 5_000,
      documentCommandOps: 1_000,
    })
    const text = 'some words '.repeat(80)
    const authors = await Promise.all(
      ['alice', 'bob'].map(async (name) => ({ name, state: await model.open(undefined) })),
    )
    const all: Body[][] = []
    for (const { name, state } of authors) {
      Object.assign(limits, { documentSessionOps: 10_000 })
      all.push(
        Array.from({ length: 4 }, (_, i) =>
          write(state, [name, i + 1], (doc) => doc.splice(['text'], 0, 0, text)),
        ),
      )
      Object.assign(limits, { documentSessionOps: 3_000 })
    }
    const [alice, bob] = all as [Body[], Body[]]
    const state = await model.open(undefined)
    expect(state.fold(alice)).toEqual([alice[3]])
    expect(() => write(state, ['carol', 1], (doc) => doc.splice(['text'], 0, 0, 'x'))).toThrow(
      expect.objectContaining({ code: 'too-large' }),
    )
    // Whatever comes first.
    const [one, other] = [await model.open(undefined), await model.open(state.snapshot())]
    one.fold([...bob, ...alice])
    other.fold(bob.slice(0, 2))
    expect(other.problem).toBeUndefined()
    other.fold(bob.slice(2))
    expect(one.problem).toContain('5000 operations')
    expect(other.problem).toBe(one.problem)
    expect(other.fold([bob[0]!])).toEqual([])
    for (const each of [one, other]) each.close()
  } finally {
    Object.assign(limits, real)
  }
})
