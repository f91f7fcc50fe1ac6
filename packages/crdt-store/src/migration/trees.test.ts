import {
  entity,
  migrate,
  record,
  register,
  storedShape,
  tree,
  type DeviceId,
  type EntityState,
  type HandleOf,
  type SessionId,
} from '@peerplane/core'
import { bodyAt } from '@peerplane/core/testing'
import { expect, test } from 'vitest'

import { nativeModel } from '../kernels/native-model.ts'
import { migratedModel } from './migrated-model.ts'

const first = record({ outline: tree(record({ text: register(''), done: register(false) })) })
const last = record({
  outline: tree(record({ title: register(''), status: register('todo'), note: register('') })),
})
const { shape, lens } = storedShape(
  entity('outline', {
    version: 2,
    state: last,
    migrations: migrate(first).in('outline', (node) =>
      node.rename('text', 'title').convert('done', 'status', register('todo'), {
        up: (done) => (done ? 'done' : 'todo'),
        down: (status) => status === 'done',
      }),
    ),
    commands: {},
  }),
)
type Old = HandleOf<typeof first>
type New = HandleOf<typeof last>

test('two versions of an app edit and move the nodes of one tree, and no field is lost', async () => {
  const old = await nativeModel(first).open(undefined)
  const now = await migratedModel(nativeModel(shape), lens).open(undefined)
  let seq = 0
  const command = <Handle>(
    [by, other]: readonly [EntityState, EntityState],
    device: number,
    run: (handle: Handle) => void,
  ): void => {
    const origin = {
      device: `0${device}`.repeat(32) as DeviceId,
      session: `0${device}`.repeat(16) as SessionId,
      seq: ++seq,
      time: { ms: seq, counter: 0 },
    }
    const draft = by.begin(origin)
    run(draft.handle as Handle)
    const body = bodyAt(origin, draft.finish()!)
    by.identify(body)
    expect(other.fold([body])).toEqual([])
  }
  const made: string[] = []
  command<Old>([old, now], 1, ({ outline }) => {
    const { key, value } = outline.insert()
    value.text.set('one')
    value.done.set(true)
    const child = outline.insert(key)
    child.value.text.set('below')
    made.push(key, child.key)
  })
  command<New>([now, old], 2, ({ outline }) => {
    const { key, value } = outline.insert(undefined, 'first')
    value.title.set('two')
    value.status.set('doing')
    outline.get(made[0]!).note.set('only the new app knows this')
    made.push(key)
    expect(outline.children()).toEqual([made[2], made[0]])
  })
  command<Old>([old, now], 1, ({ outline }) => {
    outline.move(made[0]!, made[2])
    outline.get(made[1]!).done.set(true)
  })
  const [one, below, two] = made
  expect(old.mirror).toEqual({
    outline: [
      {
        key: two,
        value: { text: 'two', done: false },
        children: [
          {
            key: one,
            value: { text: 'one', done: true },
            children: [{ key: below, value: { text: 'below', done: true }, children: [] }],
          },
        ],
      },
    ],
  })
  const [shownTwo] = (now.mirror as { outline: readonly object[] }).outline
  expect(shownTwo).toEqual({
    key: two,
    value: { title: 'two', status: 'doing', note: '' },
    children: [
      {
        key: one,
        value: { title: 'one', status: 'done', note: 'only the new app knows this' },
        children: [
          { key: below, value: { title: 'below', status: 'done', note: '' }, children: [] },
        ],
      },
    ],
  })
})
