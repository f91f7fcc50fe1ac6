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

import { encodeBody, readBody } from './body.ts'
import { readChanges } from './change-chunk.ts'
import { originOf } from './hostile.fixture.test.ts'
import { innerModel } from './inner-model.fixture.test.ts'

type Content = { [key: string]: Json; text: string; list: Json[] }
type Handle = DocumentHandle<Content>

let model: StateModel
beforeAll(async () => {
  model = await innerModel(document<Content>({ text: 'begin end', list: [] }))
})

/** A device that writes, and one that reads along. */
interface Pair {
  readonly writer: EntityState
  readonly reader: EntityState
  seq: number
}

const pair = async (): Promise<Pair> => ({
  writer: await model.open(undefined),
  reader: await model.open(undefined),
  seq: 0,
})

/** Runs a command and compares both sides. Returns the number of its changes. */
function write(both: Pair, edit: (doc: Handle) => void, at?: string): number {
  const { writer, reader } = both
  const origin = originOf('writer', ++both.seq)
  const draft = writer.begin(origin, at)
  edit(draft.handle as Handle)
  const bytes = draft.finish()!
  expect(reader.fold([bodyAt(origin, bytes)])).toEqual([])
  // Not with toEqual: it takes seconds for long texts.
  expect(JSON.stringify(reader.mirror) === JSON.stringify(writer.mirror)).toBe(true)
  expect(reader.version).toBe(writer.version)
  return readChanges(readBody(bytes)!.chunks).length
}

const contentOf = ({ writer }: Pair): Content => writer.mirror as Content

/** More than fits into one change. */
const LONG = 2 * Math.floor(0.6 * limits.documentOps)

/** A text of many parts, most of which end within a surrogate pair. */
const long = (characters: number): string => `x${'👍a'.repeat(characters / 2)}`

test('a paste and a cut beyond one change are one command of several changes', async () => {
  const both = await pair()
  const pasted = long(LONG)
  expect(write(both, (doc) => doc.splice(['text'], 6, 0, pasted))).toBe(2)
  expect(contentOf(both).text === `begin ${pasted}end`).toBe(true)
  expect(write(both, (doc) => doc.splice(['text'], 0, 0, '> '))).toBe(1)
  expect(write(both, (doc) => doc.splice(['text'], 8, pasted.length, 'the '))).toBe(2)
  expect(contentOf(both).text).toBe('> begin the end')
})

test('other values beyond one change are written in parts', async () => {
  const both = await pair()
  const numbers = Array.from({ length: LONG }, (_, i) => i)
  const value = { deep: [numbers, long(LONG), { a: null }] }
  expect(write(both, (doc) => (doc['value'] = value))).toBe(4)
  expect(JSON.stringify(contentOf(both)['value']) === JSON.stringify(value)).toBe(true)
  expect(write(both, (doc) => (doc.list = [...numbers, 'last']))).toBe(3)
  expect(write(both, (doc) => doc.list.splice(1, LONG - 2, { a: 1 }))).toBe(2)
  expect(contentOf(both).list).toEqual([0, { a: 1 }, LONG - 1, 'last'])
  expect(write(both, (doc) => (doc.text = long(LONG)))).toBe(2)
})

test('a large command on what its caller saw keeps what was written since', async () => {
  const both = await pair()
  const seen = both.writer.version
  write(both, (doc) => doc.splice(['text'], 9, 0, '!'))
  const pasted = long(LONG)
  write(both, (doc) => doc.splice(['text'], 6, 3, pasted), seen)
  expect(contentOf(both).text === `begin ${pasted}!`).toBe(true)
  write(both, (doc) => doc.splice(['text'], 0, 5, 'B'))
  expect(contentOf(both).text === `B ${pasted}!`).toBe(true)
})

test.each(['before', 'after'])('a large command is taken back whole, %s its end', async (when) => {
  const both = await pair()
  write(both, (doc) => doc.splice(['text'], 0, 0, '1'))
  for (const at of [undefined, both.writer.version]) {
    write(both, (doc) => doc.splice(['text'], 0, 0, '2'))
    const { version, mirror } = both.writer
    const draft = both.writer.begin(originOf('writer', 9), at)
    ;(draft.handle as Handle).splice(['text'], 1, 0, long(LONG))
    if (when === 'after') draft.finish()
    draft.revert()
    expect(both.writer.version).toBe(version)
    expect(both.writer.mirror).toEqual(mirror)
  }
  write(both, (doc) => doc.splice(['text'], 0, 0, '3'))
})

test('a command that is too large is refused before it changes anything, and says what to do', async () => {
  const both = await pair()
  const advice: unknown = expect.objectContaining({
    code: 'too-large',
    message: expect.stringContaining('several commands') as unknown,
  })
  write(both, (doc) => {
    const much = 'x'.repeat(limits.documentCommandOps + 1)
    expect(() => doc.splice(['text'], 0, 0, much)).toThrow(advice)
    expect(() => doc.splice(['text'], 0, 0, '言'.repeat(limits.commitBytes / 3 + 1))).toThrow(
      advice,
    )
    expect(() => (doc.text = much)).toThrow(advice)
    expect(() => (doc['new'] = much)).toThrow(advice)
    doc.splice(['text'], 0, 0, 'still ')
  })
  expect(contentOf(both).text).toBe('still begin end')
})

test('changes of one command take effect together or not at all', async () => {
  const writer = await model.open(undefined)
  const command = (seq: number, text: string): Uint8Array => {
    const draft = writer.begin(originOf('mallory', seq))
    ;(draft.handle as Handle).splice(['text'], 0, 0, text)
    return draft.finish()!
  }
  const first = readBody(command(1, '1'))!
  const second = readBody(command(2, '2'))!
  const third = readBody(command(3, '3'))!
  const join = (...parts: readonly Uint8Array[]): Body =>
    bodyAt(originOf('mallory'), encodeBody({ chunks: Buffer.concat(parts), tree: first.tree }))
  const outcome = async (body: Body): Promise<string> => {
    const reader = await model.open(undefined)
    const { length } = reader.fold([body])
    const { text } = reader.mirror as Content
    const waiting = reader.fold([]).length
    reader.close()
    return `${length + waiting} void, ${text}`
  }
  expect(await outcome(join(first.chunks, second.chunks))).toBe('0 void, 21begin end')
  expect(await outcome(join(first.chunks, third.chunks))).toBe('0 void, begin end')
  expect(await outcome(join(first.chunks, first.chunks))).toBe('1 void, begin end')
  expect(await outcome(join(first.chunks, second.chunks.subarray(1)))).toBe('1 void, begin end')
  expect(await outcome(join())).toBe('1 void, begin end')
})
