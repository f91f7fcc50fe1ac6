import {
  document,
  encodeCanonical,
  limits,
  type Body,
  type DocumentHandle,
  type EntityState,
  type StateModel,
} from '@peerplane/core'
import { bodyAt } from '@peerplane/core/testing'
import { beforeAll, expect, test } from 'vitest'

import { encodeBody, readBody } from './body.ts'
import { originOf } from './hostile.fixture.test.ts'
import { innerModel } from './inner-model.fixture.test.ts'

interface Content {
  text: string
  list: (boolean | null)[]
}
let model: StateModel
beforeAll(async () => {
  model = await innerModel(document({ text: '', list: [] }))
})

function write(
  state: EntityState,
  seq: number,
  edit: (doc: DocumentHandle<Content>) => void,
): Body {
  const draft = state.begin(originOf('alice', seq))
  edit(draft.handle as DocumentHandle<Content>)
  return bodyAt(originOf('alice', seq), draft.finish()!)
}

/** The same change without the bytes that pay for it. */
function unpaid(body: Body): Body {
  const { chunks, tree } = readBody(body.bytes)!
  return { ...body, bytes: encodeBody({ chunks, tree }) }
}

test('a change that does much in few bytes is padded, and void without the padding', async () => {
  const edits: ((doc: DocumentHandle<Content>) => void)[] = [
    (doc) => doc.list.push(...Array.from({ length: 3_000 }, () => null)),
    (doc) => doc.list.splice(0, 3_000),
    (doc) => doc.splice(['text'], 0, 0, 'x'.repeat(6_000)),
    (doc) => doc.splice(['text'], 0, 6_000, ''),
  ]
  const author = await model.open(undefined)
  const reader = await model.open(undefined)
  const sizes = edits.map((edit, i) => {
    const other = i + 1
    const body = write(author, other, edit)
    expect(reader.fold([body])).toEqual([])
    expect(reader.mirror).toEqual(author.mirror)
    return [body.bytes.length, unpaid(body).bytes.length]
  })
  const [nulls, cut, typed, deleted] = sizes as [number, number][]
  for (const [padded, bare] of [nulls!, cut!, deleted!]) {
    expect(bare).toBeLessThan(600)
    expect(padded).toBeGreaterThan(600)
    expect(padded).toBeLessThan(6_000 / limits.documentOpsPerByte + 100)
  }
  expect(typed![0]).toBe(typed![1])
  for (const [at, edit] of edits.entries()) {
    if (at === 2) continue
    const state = await model.open(undefined)
    const before = edits.slice(0, at).map((each, i) => write(state, i + 1, each))
    const body = unpaid(write(state, at + 1, edit))
    const fresh = await model.open(undefined)
    const refused = fresh.fold([...before, body])
    // Bodies after a large one are looked at later.
    void fresh.mirror
    expect([...refused, ...fresh.fold([])]).toEqual([body])
  }
})

test('what a person writes is not padded', async () => {
  const author = await model.open(undefined)
  const bodies = [
    write(author, 1, (doc) => doc.splice(['text'], 0, 0, 'Some words, and more. '.repeat(20))),
    write(author, 2, (doc) => doc.splice(['text'], 10, 200, 'other')),
    write(author, 3, (doc) => doc.list.push(true, null, false)),
  ]
  for (const body of bodies) expect(body.bytes).toEqual(unpaid(body).bytes)
})

test('an initial state with more places than its bytes pay for is void', async () => {
  const tree = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`k${i}`, 0]))
  const other = await (await innerModel(document<{ k: number }>({ k: 0 }))).open(undefined)
  const draft = other.begin(originOf('alice'))
  ;(draft.handle as DocumentHandle<{ k: number }>).k = 1
  const { chunks } = readBody(draft.finish()!)!
  const bodyWith = (...rest: readonly Uint8Array[]): Body =>
    bodyAt(originOf('alice'), encodeCanonical([chunks, { ...tree, k: 0 }, ...rest]))
  const [bare, padded] = [bodyWith(), bodyWith(new Uint8Array(2_000))]
  expect((await model.open(undefined)).fold([bare])).toEqual([bare])
  expect((await model.open(undefined)).fold([padded])).toEqual([])
})
