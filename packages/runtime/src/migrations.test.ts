import {
  document,
  entity,
  events,
  map,
  migrate,
  record,
  register,
  type DocumentHandle,
  type Entity,
} from '@peerplane/core'
import { createMemoryStore } from '@peerplane/crdt-store'
import { expect, test } from 'vitest'

import {
  createPlane,
  openRuntime,
  systemClock,
  systemRandom,
  systemScheduler,
  webCrypto,
  type Plane,
} from './index.ts'

const crypto = webCrypto()
const key = crypto.keyFromSeed(new Uint8Array(32).fill(7))

/** A device whose app is updated: each opening takes over what the one before has stored. */
class Device {
  #store = createMemoryStore()

  async with(declared: readonly Entity[], run: (plane: Plane) => Promise<void>): Promise<void> {
    const platform = { random: systemRandom, clock: systemClock, scheduler: systemScheduler }
    this.#store = createMemoryStore(this.#store.entries())
    const ports = { store: this.#store, key: await key, crypto, ...platform }
    const plane = createPlane(declared, await openRuntime(ports, { entities: declared }))
    await run(plane)
    await plane.close()
  }
}

const first = record({ cards: map(record({ text: register(''), done: register(false) })) })
const Board1 = entity('board', {
  state: first,
  commands: {
    write: (board, { id, text }: { id: string; text: string }) =>
      board.cards.get(id).text.set(text),
    finish: (board, id: string) => board.cards.get(id).done.set(true),
  },
})
const second = record({ cards: map(record({ title: register(''), status: register('todo') })) })
const board2 = (up: (done: boolean) => string) =>
  entity('board', {
    version: 2,
    state: second,
    migrations: migrate(first).in('cards', (card) =>
      card.rename('text', 'title').convert('done', 'status', register('todo'), {
        up,
        down: (status) => status === 'done',
      }),
    ),
    commands: {
      move: (board, { id, status }: { id: string; status: string }) =>
        board.cards.get(id).status.set(status),
    },
  })
const Board2 = board2((done) => (done ? 'done' : 'todo'))

test('an updated app shows what the older one has written, and in reverse', async () => {
  const device = new Device()
  await device.with([Board1], async (plane) => {
    const board = plane.get(Board1, 'a')
    await board.write({ id: 'x', text: 'one' })
    await board.finish('x')
    await board.write({ id: 'y', text: 'two' })
  })
  const shown = {
    cards: { x: { title: 'one', status: 'done' }, y: { title: 'two', status: 'todo' } },
  }
  for (let opening = 0; opening < 2; opening++) {
    await device.with([Board2], async (plane) => {
      // The list is read before the entity: from rows, in the second opening.
      expect(await plane.list(Board2)).toEqual([{ id: 'a', state: shown }])
      expect(await plane.get(Board2, 'a').state()).toEqual(shown)
    })
  }
  await device.with([Board2], async (plane) => {
    await plane.get(Board2, 'a').move({ id: 'y', status: 'doing' })
    expect(await plane.get(Board2, 'a').state()).toMatchObject({
      cards: { y: { status: 'doing' } },
    })
  })
  await device.with([Board1], async (plane) => {
    expect(await plane.list(Board1)).toEqual([
      {
        id: 'a',
        state: { cards: { x: { text: 'one', done: true }, y: { text: 'two', done: false } } },
      },
    ])
    await plane.get(Board1, 'a').finish('y')
  })
  await device.with([Board2], async (plane) => {
    expect(await plane.list(Board2)).toMatchObject([
      { state: { cards: { y: { status: 'done' } } } },
    ])
  })
})

const journal1 = events({ lines: 0 }, { added: ({ lines }, by: number) => ({ lines: lines + by }) })
const Journal1 = entity('journal', {
  state: journal1,
  commands: { add: (journal, by: number) => journal.emit('added', by) },
})
const journal2 = (up: (old: { lines: number }) => { count: number; isLong: boolean }) => {
  const state = events(
    { count: 0, isLong: false },
    { grown: ({ count }, { by }: { by: number }) => up({ lines: count + by }) },
  )
  return entity('journal', {
    version: 2,
    state,
    migrations: migrate(journal1).convertState(state, {
      up,
      down: ({ count }) => ({ lines: count }),
      events: { grown: ({ by }) => ['added', by] },
    }),
    commands: { grow: (journal, by: number) => journal.emit('grown', { by }) },
  })
}
const Journal2 = journal2(({ lines }) => ({ count: lines, isLong: lines > 5 }))

test('an updated app goes on with the events of the older one, and in reverse', async () => {
  const device = new Device()
  await device.with([Journal1], async (plane) => void (await plane.get(Journal1, 'a').add(2)))
  await device.with([Journal2], async (plane) => {
    const state = { count: 2, isLong: false }
    expect(await plane.list(Journal2)).toEqual([{ id: 'a', state }])
    await plane.get(Journal2, 'a').grow(3)
    expect(await plane.get(Journal2, 'a').state()).toEqual({ count: 5, isLong: false })
  })
  await device.with([Journal1], async (plane) => {
    expect(await plane.get(Journal1, 'a').state()).toEqual({ lines: 5 })
    await plane.get(Journal1, 'a').add(1)
  })
  for (const [isLong, declared] of [
    [true, Journal2],
    [false, journal2(({ lines }) => ({ count: lines, isLong: lines > 10 }))],
  ] as const) {
    await device.with([declared], async (plane) => {
      expect(await plane.list(declared)).toEqual([{ id: 'a', state: { count: 6, isLong } }])
    })
  }
})

test('rows that were made with another conversion are rebuilt', async () => {
  const device = new Device()
  await device.with([Board1], async (plane) => void (await plane.get(Board1, 'a').finish('x')))
  for (const [status, declared] of [
    ['done', Board2],
    ['finished', board2((done) => (done ? 'finished' : 'todo'))],
  ] as const) {
    await device.with([declared], async (plane) => {
      expect(await plane.list(declared)).toMatchObject([{ state: { cards: { x: { status } } } }])
    })
  }
})

test('a document has its text under its new name', async () => {
  const device = new Device()
  const Page1 = entity('page', {
    state: document({ body: '' }),
    commands: {
      enter: (page: DocumentHandle<{ body: string }>, text: string) =>
        page.splice(['body'], 0, 0, text),
    },
  })
  const Page2 = entity('page', {
    version: 2,
    state: document({ content: '', title: '' }),
    migrations: migrate(document({ body: '' })).rename('body', 'content'),
    commands: {
      enter: (page: DocumentHandle<{ content: string; title: string }>, text: string) =>
        page.splice(['content'], 0, 0, text),
    },
  })
  await device.with([Page1], async (plane) => void (await plane.get(Page1, 'a').enter('one')))
  await device.with([Page2], async (plane) => {
    expect(await plane.list(Page2)).toEqual([{ id: 'a', state: { content: 'one', title: '' } }])
    await plane.get(Page2, 'a').enter('two ')
  })
  await device.with([Page1], async (plane) => {
    expect(await plane.get(Page1, 'a').state()).toMatchObject({ body: 'two one' })
  })
})
