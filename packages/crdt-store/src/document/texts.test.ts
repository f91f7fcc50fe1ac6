import {
  document,
  type DocumentHandle,
  type Json,
  type PeerplaneError,
  type StateModel,
} from '@peerplane/core'
import { bodyAt, anyText, brokenText } from '@peerplane/core/testing'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'

import { originOf } from './hostile.fixture.test.ts'
import { innerModel } from './inner-model.fixture.test.ts'

type Content = { [key: string]: Json; text: string; list: Json[]; map: { [key: string]: Json } }
const initial: Content = { text: 'a👍👍b', list: ['x'], map: { k: 'v', '\uFFFD': 'mark' } }
const invalid: unknown = expect.objectContaining({ code: 'invalid-input' })

let model: StateModel
beforeAll(async () => {
  model = await innerModel(document(initial))
})

/** Whether a command on a fresh document changed nothing but what `edit` did, here and where its body is folded. */
async function run(edit: (doc: DocumentHandle<Content>) => void): Promise<Content> {
  const [writer, reader] = [await model.open(undefined), await model.open(undefined)]
  try {
    const origin = originOf('a')
    const draft = writer.begin(origin)
    edit(draft.handle as DocumentHandle<Content>)
    const bytes = draft.finish()
    expect(reader.fold(bytes ? [bodyAt(origin, bytes)] : [])).toEqual([])
    expect(reader.mirror).toEqual(writer.mirror)
    return writer.mirror as Content
  } finally {
    writer.close()
    reader.close()
  }
}

function attempt(edit: () => void): string {
  try {
    edit()
    return 'done'
  } catch (error) {
    return (error as PeerplaneError).code
  }
}

const half = fc.constantFrom('', 'x', '👎', '\uD83D', '\uDC4D', '\uDC4E', '\uDC4D\uD83D')
const anySplice = fc.tuple(fc.nat(9), fc.nat(4), fc.oneof(half, anyText))

test('a splice has the same result as on a JavaScript string, or is refused and changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anySplice, { minLength: 1, maxLength: 12 }), async (splices) => {
      let text = initial.text
      const { text: shown } = await run((doc) => {
        for (const [index, count, inserted] of splices) {
          const at = index % (text.length + 1)
          const remove = Math.min(count, text.length - at)
          const right = text.slice(0, at) + inserted + text.slice(at + remove)
          const outcome = attempt(() => doc.splice(['text'], at, remove, inserted))
          expect(outcome).toBe(right.isWellFormed() ? 'done' : 'invalid-input')
          if (outcome === 'done') text = right
          expect(doc.text).toBe(text)
        }
      })
      expect(shown).toBe(text)
    }),
    { numRuns: 150 },
  )
})

test('an editor can replace half of a surrogate pair, and the text still has whole pairs', async () => {
  const { text } = await run((doc) => doc.splice(['text'], 2, 1, '\uDC4E'))
  expect(text).toBe('a👎👍b')
})

const places: readonly [string, (doc: DocumentHandle<Content>, text: string) => void][] = [
  ['a value', (doc, text) => (doc.map['k'] = text)],
  ['a value within a value', (doc, text) => (doc.map['k'] = { deep: [text] })],
  ['a text', (doc, text) => (doc.text = text)],
  ['a key', (doc, text) => (doc.map[text] = 1)],
  ['a key at the top', (doc, text) => (doc[text] = 1)],
  ['a key within a value', (doc, text) => (doc.map['k'] = { [text]: 1 })],
  ['an item', (doc, text) => (doc.list[0] = text)],
  ['a new item', (doc, text) => doc.list.push(text)],
  ['a first item', (doc, text) => doc.list.unshift({ [text]: 1 })],
  ['an item in place of another', (doc, text) => doc.list.splice(0, 1, 'y', text)],
  ['the path of a splice', (doc, text) => doc.splice(['map', text], 0, 0, 'y')],
]

test.each(places)(
  'a lone surrogate in a document is refused and changes nothing: %s',
  async (_, edit) => {
    await fc.assert(
      fc.asyncProperty(brokenText, async (broken) => {
        const shown = await run((doc) => expect(() => edit(doc, broken)).toThrow(invalid))
        expect(shown).toEqual(initial)
      }),
      { numRuns: 8 },
    )
  },
)

test('a document never has a key with a lone surrogate', async () => {
  const shown = await run((doc) => {
    expect(doc.map['\uD83D']).toBeUndefined()
    expect('\uD83D' in doc.map).toBe(false)
    delete doc.map['\uD83D']
  })
  expect(shown).toEqual(initial)
})

test('texts and keys come back as they were written', async () => {
  await fc.assert(
    fc.asyncProperty(anyText, anyText, async (key, text) => {
      if (key === '__proto__') return
      const shown = await run((doc) => {
        doc.map[key] = [text, { [key]: text }]
        doc.text = text
      })
      expect(shown.map[key]).toEqual([text, { [key]: text }])
      expect(shown.text).toBe(text)
    }),
    { numRuns: 60 },
  )
})
