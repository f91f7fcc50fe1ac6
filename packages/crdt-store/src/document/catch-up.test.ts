import {
  concatBytes,
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
import { checksum, chunkOf, originOf } from './hostile.fixture.test.ts'
import { innerModel } from './inner-model.fixture.test.ts'

interface Content {
  readonly [key: string]: Json
  text: string
  map: { [key: string]: number }
}
let model: StateModel
beforeAll(async () => {
  model = await innerModel(document<Content>({ text: '', map: {} }))
})

function write(
  state: EntityState,
  name: string,
  seq: number,
  edit: (doc: DocumentHandle<Content>) => void,
): Body {
  const draft = state.begin(originOf(name, seq))
  edit(draft.handle as DocumentHandle<Content>)
  return bodyAt(originOf(name, seq), draft.finish()!)
}

/** A body of several changes. */
const large = (state: EntityState, name: string, seq: number): Body =>
  write(state, name, seq, (doc) => {
    doc.splice(['text'], 0, 0, 'several words '.repeat(limits.documentOps / 7))
  })

/** Does all that was put off, part by part, and counts the parts. */
function parts(state: EntityState, seen: (part: number) => void = () => {}): number {
  let part = 1
  while (state.advance!(0)) seen(part++)
  return part
}

test('what is put off is done in parts, and shows the same as if it were done at once', async () => {
  const author = await model.open(undefined)
  const bodies = [
    write(author, 'alice', 1, (doc) => doc.splice(['text'], 0, 0, 'one')),
    large(author, 'alice', 2),
    ...Array.from({ length: 20 }, (_, i) =>
      write(author, 'bob', i + 1, (doc) => doc.splice(['text'], i, 0, 'more words '.repeat(99))),
    ),
  ]
  const state = await model.open(undefined)
  expect(state.fold(bodies)).toEqual([])
  expect(parts(state)).toBeGreaterThan(3)
  expect(state.advance!(0)).toBe(false)
  expect(state.mirror).toEqual(author.mirror)
  expect(state.version).toBe(author.version)

  // A caller that looks in the middle sees all of it.
  for (const at of [1, 3]) {
    const looked = await model.open(undefined)
    const seen: unknown[] = []
    looked.fold(bodies)
    parts(looked, (part) => part === at && seen.push(looked.mirror))
    expect(seen).toEqual([author.mirror])
  }
})

test.each([1, 3])(
  'a command at what its caller saw before part %i sees nothing else',
  async (at) => {
    const author = await model.open(undefined)
    const bodies = [large(author, 'alice', 1), large(author, 'alice', 2)]
    const state = await model.open(undefined)
    const before = state.version
    const texts: string[] = []
    state.fold(bodies)
    parts(state, (part) => {
      if (part !== at) return
      const draft = state.begin(originOf('carol'), before)
      const handle = draft.handle as DocumentHandle<Content>
      texts.push(handle.text)
      handle.splice(['text'], 0, 0, 'mine')
      draft.finish()
    })
    expect(texts).toEqual([''])
    const { text } = state.mirror as unknown as Content
    expect(text).toContain('mine')
    expect(text).toHaveLength((author.mirror as unknown as Content).text.length + 4)
  },
)

test('small amounts are put off', async () => {
  const author = await model.open(undefined)
  const bodies = [large(author, 'alice', 1), large(author, 'alice', 2)]
  const size = bodies.reduce((sum, { bytes }) => sum + bytes.length, 0)
  const state = await model.open(undefined)
  state.fold(bodies)
  expect(state.advance!(size)).toBe(false)
  expect(state.advance!(size - 1)).toBe(true)
})

test('of a body that is applied in part nothing stays if a later change of it is void', async () => {
  const author = await model.open(undefined)
  const honest = [
    write(author, 'alice', 1, (doc) => doc.splice(['text'], 0, 0, 'one')),
    large(author, 'alice', 2),
  ]
  const hostile = await model.open(undefined)
  const long = chunkOf(large(hostile, 'mallory', 1).bytes)
  const last = Uint8Array.from(
    chunkOf(write(hostile, 'mallory', 2, (doc) => (doc.map['y'] = 0)).bytes),
  )
  // One value as a run of one: Automerge would write it as a list of one.
  const at = last.findLastIndex((_, i) =>
    [0x7f, 1, 0x7f, 0x14].every((byte, j) => last[i + j] === byte),
  )
  last[at] = 1
  last.set(checksum(last.subarray(8)), 4)
  const tree = { text: '', map: {} }
  const bytes = encodeBody({ chunks: concatBytes(long, last), tree }, 1_000_000)
  const bad = bodyAt(originOf('mallory', 1), bytes)
  const after = write(hostile, 'mallory', 3, (doc) => (doc.map['z'] = 0))

  for (const bodies of [
    [bad, ...honest],
    [...honest, bad],
  ]) {
    const state = await model.open(undefined)
    const refused = [...state.fold([...bodies, after])]
    expect(parts(state)).toBeGreaterThan(3)
    refused.push(...state.fold([]))
    expect(refused).toEqual([bad, after])
    expect(state.mirror).toEqual(author.mirror)
    expect(state.version).toBe(author.version)
    state.close()
  }
})
