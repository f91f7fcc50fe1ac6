import {
  document,
  type Body,
  type DocumentHandle,
  type EntityState,
  type Json,
  type StateModel,
} from '@peerplane/core'
import { bodyAt, processorTime } from '@peerplane/core/testing'
import { beforeAll, expect, test } from 'vitest'

import { originOf } from './hostile.fixture.test.ts'
import { innerModel } from './inner-model.fixture.test.ts'

interface Content {
  readonly [key: string]: Json
  text: string
  list: Json[]
  map: { [key: string]: Json }
}
type Handle = DocumentHandle<Content>
let model: StateModel
beforeAll(async () => {
  model = await innerModel(document<Content>({ text: '', list: [], map: {} }))
})

function write(state: EntityState, name: string, seq: number, edit: (doc: Handle) => void): Body {
  const origin = originOf(name, seq)
  const draft = state.begin(origin, state.version)
  edit(draft.handle as Handle)
  return bodyAt(origin, draft.finish()!)
}

/** What a member writes, in so many commits, as a document of its own or after what it has written before. */
const floods: readonly (readonly [
  what: string,
  commits: number,
  sessions: number,
  edit: (doc: Handle, turn: number) => void,
])[] = [
  ['a long text', 5, 1, (doc) => doc.splice(['text'], 0, 0, 'words and '.repeat(2_000))],
  [
    'a text that is cut again and again',
    10,
    1,
    (doc, turn) =>
      turn % 2 === 0
        ? doc.splice(['text'], 0, 0, 'x'.repeat(10_000))
        : doc.splice(['text'], 0, 10_000, ''),
  ],
  [
    'values in run lengths',
    5,
    1,
    (doc) => doc.list.splice(0, doc.list.length, ...Array.from({ length: 10_000 }, () => null)),
  ],
  ['one text by sixty sessions', 60, 60, (doc) => doc.splice(['text'], 0, 0, 'y'.repeat(800))],
  ['one key by sixty sessions', 60, 60, (doc, turn) => (doc.map['y'] = turn)],
  ['one key in very many commits', 1_000, 1, (doc, turn) => (doc.map['y'] = turn)],
]

// The times are of the processor; the bound is three times that of a machine with nothing else to do.
test.each(floods)(
  'an honest write after %s is small and fast, and no part takes long',
  async (_, commits, sessions, edit) => {
    let author = await model.open(undefined)
    const bodies: Body[] = []
    for (let turn = 0; turn < commits; turn++) {
      if (sessions > 1) author = await model.open(undefined)
      const seq = sessions > 1 ? 1 : turn + 1
      bodies.push(write(author, `mallory ${turn % sessions}`, seq, (doc) => edit(doc, turn)))
    }
    const state = await model.open(undefined)
    const memory = process.memoryUsage().rss
    const times: number[] = []
    const timed = <T>(task: () => T): T => {
      const start = processorTime()
      const result = task()
      times.push(processorTime() - start)
      return result
    }
    expect(timed(() => state.fold(bodies))).toEqual([])
    for (let isMore = true; isMore;) isMore = timed(() => state.advance!(0))
    times.push(0)
    const sizes = [1, 2, 3].map((seq) => {
      const edited = timed(() =>
        write(state, 'alice', seq, (doc) => {
          doc.splice(['text'], 0, 0, 'honest ')
          doc.map['y'] = 'honest'
        }),
      )
      return edited.bytes.length
    })
    expect(Math.max(...times)).toBeLessThan(150)
    expect(Math.max(...sizes)).toBeLessThan(4_096)
    expect(sizes[2]).toBeLessThan(512)
    expect(process.memoryUsage().rss - memory).toBeLessThan(200_000_000)
    expect(state.mirror).toMatchObject({ map: { y: 'honest' } })
  },
)
