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
import { bodyAt } from '@peerplane/core/testing'
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
    device: '00'.repeat(32) as DeviceId,
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
