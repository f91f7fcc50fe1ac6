import {
  document,
  entity,
  migrate,
  storedShape,
  type Body,
  type DeviceId,
  type DocumentHandle,
  type DocumentShape,
  type Entity,
  type EntityState,
  type Json,
  type SessionId,
} from '@peerplane/core'
import { bodyAt, rounds } from '@peerplane/core/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { documentModel } from '../document/index.ts'
import { migratedModel } from './migrated-model.ts'

interface First {
  readonly body: string
  readonly note: number
}
interface Second {
  content: string
  title: string
  body: readonly number[]
}

const Old = entity('page', {
  state: document<Record<string, Json>>({ body: '', note: 0 }),
  commands: {},
})
const New = entity('page', {
  version: 4,
  state: document<Record<string, Json>>({ content: '', title: '', body: [] }),
  migrations: migrate(document<Record<string, Json>>({ body: '', note: 0 }))
    .rename('body', 'content')
    .drop('note')
    .add('body', []),
  commands: {},
})

let seq = 0

async function open(declared: Entity): Promise<EntityState> {
  const { shape, lens } = storedShape(declared)
  const model = await documentModel(shape as DocumentShape<Record<string, Json>>)
  return (lens.kind === 'same' ? model : migratedModel(model, lens)).open(undefined)
}

function edit(state: EntityState, device: number, run: (handle: never) => void): Body {
  const origin = {
    device: `0${device}`.repeat(32) as DeviceId,
    session: `0${device}`.repeat(16) as SessionId,
    seq: ++seq,
    time: { ms: seq, counter: 0 },
  }
  const draft = state.begin(origin)
  run(draft.handle as never)
  const body = bodyAt(origin, draft.finish()!)
  state.identify(body)
  return body
}

test('two versions of an app edit the same text of a document under two names', async () => {
  const old = await open(Old)
  const now = await open(New)
  const first = edit(old, 1, (page: DocumentHandle<First>) => page.splice(['body'], 0, 0, 'old '))
  now.fold([first])
  expect(now.mirror).toEqual({ body: [], content: 'old ', title: '' })
  const second = edit(now, 2, (page: DocumentHandle<Second>) => {
    page.splice(['content'], 4, 0, 'new')
    page.title = 'T'
    page.body = [1]
  })
  const third = edit(old, 1, (page: DocumentHandle<First & { note: number }>) => {
    page.splice(['body'], 0, 0, 'very ')
    page.note = 7
  })
  now.fold([third])
  old.fold([second])
  expect(now.mirror).toEqual({ body: [1], content: 'very old new', title: 'T' })
  expect(old.mirror).toEqual({ body: 'very old new', 'body~2': [1], note: 7, title: 'T' })
  expect([old.skipped, now.skipped]).toEqual([undefined, undefined])
})

test('the handle of a document names its members as the app does', async () => {
  const now = await open(New)
  edit(now, 2, (page: Record<string, unknown> & DocumentHandle<Second>) => {
    expect(Object.keys(page).toSorted()).toEqual(['body', 'content', 'title'])
    expect('note' in page).toBe(false)
    expect(page.note).toBe(undefined)
    expect(JSON.parse(JSON.stringify(page))).toEqual({ body: [], content: '', title: '' })
    page.note = 'again'
    expect('note' in page).toBe(true)
    page.content = 'x'
    delete (page as { title?: string }).title
    expect({ ...page, splice: undefined }).toEqual({ body: [], content: 'x', note: 'again' })
    const end = page.positionAt(['content'], 1)
    page.splice(['content'], 0, 0, 'w')
    expect(page.indexOf(['content'], end)).toBe(2)
    for (const path of [[], 'content', ['nothing']]) {
      expect(() => page.splice(path as never, 0, 0, '')).toThrow(/path|text/)
    }
  })
  expect(now.mirror).toEqual({ body: [], content: 'wx', note: 'again' })
})

test('the text of a document with one more field is shown, and both versions go on to edit it', async () => {
  const small = await open(entity('page', { state: document({ text: '' }), commands: {} }))
  const grown = await open(
    entity('page', { state: document({ text: '', title: '' }), commands: {} }),
  )
  const typed = edit(small, 1, (page: DocumentHandle<{ text: string }>) =>
    page.splice(['text'], 0, 0, 'typed'),
  )
  grown.fold([typed])
  expect(grown.mirror).toEqual({ text: 'typed', title: '' })
  const more = edit(grown, 2, (page: DocumentHandle<{ text: string; title: string }>) => {
    page.splice(['text'], 5, 0, ' more')
    page.title = 'T'
  })
  small.fold([more])
  expect(small.mirror).toEqual({ text: 'typed more', title: 'T' })
})

const step = fc.oneof(
  fc.record({ do: fc.constant('edit' as const), at: fc.nat(3), where: fc.nat() }),
  fc.record({ do: fc.constant('sync' as const), from: fc.nat(3), to: fc.nat(3) }),
)

test('concurrent edits of two versions of a document are all there, in both versions', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const states = await Promise.all([Old, New, Old, New].map(open))
      const known: Body[][] = states.map(() => [])
      const sync = (from: number, to: number): void => {
        const fresh = known[from]!.filter((body) => !known[to]!.includes(body))
        expect(states[to]!.fold(fresh)).toEqual([])
        known[to]!.push(...fresh)
      }
      const written: string[] = []
      for (const each of steps) {
        if (each.do === 'sync') sync(each.from, each.to)
        else {
          const { at } = each
          const word = `<${written.length}>`
          written.push(word)
          const body = edit(states[at]!, at, (page: Record<string, unknown> & Page) => {
            const text = at % 2 === 0 ? 'body' : 'content'
            // Between words, so that none is torn apart.
            const ends = [
              0,
              ...[...(page[text] as string).matchAll(/>/g)].map(({ index }) => index + 1),
            ]
            page.splice([text], ends[each.where % ends.length]!, 0, word)
            if (at % 2 === 0) page['note'] = written.length
            else (page['body'] as number[]).push(written.length)
          })
          known[at]!.push(body)
        }
      }
      for (let round = 0; round < 2; round++) {
        for (const from of states.keys()) for (const to of states.keys()) sync(from, to)
      }
      const [old, now, otherOld, otherNow] = states.map(({ mirror }) => mirror as Mirror)
      expect([otherOld, otherNow]).toEqual([old, now])
      expect(now!['content']).toBe(old!['body'])
      const words = (now!['content'] as string).split(/(?<=>)/).filter(Boolean)
      expect(words.toSorted()).toEqual(written.toSorted())
      expect(Object.keys(now!)).toEqual(['body', 'content', 'title'])
      expect(old!['body~2'] ?? []).toEqual(now!['body'])
      for (const state of states) state.close()
    }),
    { numRuns: rounds(30) },
  )
})

type Page = Pick<DocumentHandle<First>, 'splice'>
interface Mirror {
  readonly [name: string]: Json
}
