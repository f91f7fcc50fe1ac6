import {
  counter,
  entity,
  list,
  migrate,
  record,
  register,
  storedShape,
  type Body,
  type DeviceId,
  type EntityState,
  type HandleOf,
  type SessionId,
} from '@peerplane/core'
import { bodyAt } from '@peerplane/core/testing'
import { expect, test } from 'vitest'

import { nativeModel } from '../kernels/native-model.ts'
import { migratedModel } from './migrated-model.ts'

const first = record({ cards: list(record({ text: register(''), done: register(false) })) })
const last = record({
  cards: list(record({ title: register(''), status: register('todo'), points: counter() })),
})
const { shape, lens } = storedShape(
  entity('board', {
    version: 2,
    state: last,
    migrations: migrate(first).in('cards', (card) =>
      card.rename('text', 'title').convert('done', 'status', register('todo'), {
        up: (done) => (done ? 'done' : 'todo'),
        down: (status) => status === 'done',
      }),
    ),
    commands: {},
  }),
)

test('two versions of an app edit and move the elements of one list', async () => {
  const old = await nativeModel(first).open(undefined)
  const now = await migratedModel(nativeModel(shape), lens).open(undefined)
  let seq = 0
  const command = (state: EntityState, device: number, run: (handle: never) => void): Body => {
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
  const made: string[] = []
  const one = command(old, 1, ({ cards }: HandleOf<typeof first>) => {
    const { key, value } = cards.insert()
    made.push(key)
    value.text.set('one')
    value.done.set(true)
  })
  now.fold([one])
  const two = command(now, 2, ({ cards }: HandleOf<typeof last>) => {
    const { key, value } = cards.insert('first')
    made.push(key)
    value.title.set('two')
    value.status.set('doing')
    cards.get(made[0]!).points.increment(3)
    expect(cards.keys).toEqual([made[1], made[0]])
  })
  old.fold([two])
  const moved = command(old, 1, ({ cards }: HandleOf<typeof first>) =>
    cards.move(made[0]!, 'first'),
  )
  now.fold([moved])
  expect(old.mirror).toEqual({
    cards: [
      { key: made[0], value: { text: 'one', done: true } },
      { key: made[1], value: { text: 'two', done: false } },
    ],
  })
  expect(now.mirror).toEqual({
    cards: [
      { key: made[0], value: { title: 'one', status: 'done', points: 3 } },
      { key: made[1], value: { title: 'two', status: 'doing', points: 0 } },
    ],
  })
})
