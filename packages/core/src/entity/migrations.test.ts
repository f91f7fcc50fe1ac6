import { expect, test } from 'vitest'

import type { PeerplaneError } from '../errors.ts'
import { entity, storedShape } from './entity.ts'
import { migrate } from './migrations.ts'
import { counter, document, map, multiValueRegister, record, register, set } from './shapes.ts'

type Status = 'todo' | 'doing' | 'done'

const first = record({ title: register(''), done: register(false), likes: counter() })
const status = {
  up: (done: boolean): Status => (done ? 'done' : 'todo'),
  down: (value: Status): boolean => value === 'done',
}
const commands = {}

test('a renamed field keeps its stored name, and a converted register is stored beside the older one', () => {
  const migrations = migrate(first)
    .rename('title', 'name')
    .convert('done', 'status', register<Status>('todo'), status)
  const Task = entity('task', {
    version: 3,
    state: record({
      name: register(''),
      status: register<Status>('todo'),
      likes: counter(),
      tags: set(),
    }),
    migrations,
    commands,
  })
  expect(Task.version).toBe(3)
  const { shape, lens } = storedShape(Task)
  expect(shape).toMatchObject({
    kind: 'record',
    fields: {
      title: register(''),
      done: register(false),
      status: multiValueRegister('todo'),
      likes: counter(),
      tags: set(),
    },
  })
  expect(lens).toMatchObject({
    kind: 'record',
    fields: [
      { name: 'name', stored: 'title' },
      { name: 'status', stored: 'status', converted: { old: { stored: 'done' } } },
      { name: 'likes', stored: 'likes' },
      { name: 'tags', stored: 'tags' },
    ],
  })
})

test('a name that an earlier version used for another field is stored with the version that freed it', () => {
  const history = migrate(first)
    .drop('likes')
    .rename('title', 'name')
    .add('title', register(0))
    .convert('done', 'done', register('no'), {
      up: (done) => (done ? 'yes' : 'no'),
      down: (value) => value === 'yes',
    })
  const Task = entity('task', {
    version: 5,
    state: record({
      name: register(''),
      title: register(0),
      done: register('no'),
      likes: set(),
    }),
    migrations: history,
    commands,
  })
  expect(Object.keys((storedShape(Task).shape as typeof first).fields).toSorted()).toEqual([
    'done',
    'done~5',
    'likes~2',
    'title',
    'title~3',
  ])
})

test('migrations change records inside maps and fields, and members of documents', () => {
  const board = record({ cards: map(record({ text: register('') })), name: register('') })
  const Board = entity('board', {
    version: 2,
    state: record({
      cards: map(record({ title: register(''), likes: counter() })),
      name: register(''),
    }),
    migrations: migrate(board).in('cards', (card) => card.rename('text', 'title')),
    commands,
  })
  expect(storedShape(Board).shape).toEqual(
    record({ cards: map(record({ text: register(''), likes: counter() })), name: register('') }),
  )
  const Page = entity('page', {
    version: 3,
    state: document({ content: '', title: '' }),
    migrations: migrate(document({ body: '', note: 1 }))
      .rename('body', 'content')
      .drop('note'),
    commands,
  })
  expect(storedShape(Page)).toEqual({
    shape: document({ body: '', title: '' }),
    lens: {
      kind: 'document',
      names: [
        ['body', 'body~2'],
        ['note', 'note~3'],
        ['content', 'body'],
      ],
    },
  })
  const Table = entity('table', {
    version: 2,
    state: map(record({ b: counter() })),
    migrations: migrate(map(record({ a: counter() }))).rename('a', 'b'),
    commands,
  })
  expect(storedShape(Table).shape).toEqual(map(record({ a: counter() })))
})

test('migrations that do not fit are refused where they are written', () => {
  const history = migrate(first)
  const untyped = history as unknown as {
    [method: string]: (...args: unknown[]) => { readonly steps: readonly unknown[] }
  }
  const declare = (version: unknown, state: unknown, migrations: unknown) => () =>
    entity('task', { version, state, migrations, commands } as never)
  const cases: [string, () => unknown][] = [
    [
      'changes "titel", but the fields before it are "title", "done", "likes"',
      () => untyped['rename']!('titel', 'name'),
    ],
    ['makes a second field "done"', () => history.rename('title', 'done')],
    ['"likes" is not a register', () => untyped['convert']!('likes', 'x', register(0), status)],
    [
      'no register with the clock "custom" is converted',
      () => untyped['convert']!('title', 'x', register('', { clock: 'custom' }), status),
    ],
    ['is converted to a register', () => untyped['convert']!('done', 'x', counter(), status)],
    [
      'fails for the initial value: no',
      () =>
        untyped['convert']!('done', 'x', register(''), {
          up: () => {
            throw new Error('no')
          },
          down: () => false,
        }),
    ],
    [
      'gives two results for one value',
      () => {
        let calls = 0
        untyped['convert']!('done', 'x', register(0), { up: () => ++calls, down: () => false })
      },
    ],
    ['"up" of a conversion is a function', () => untyped['convert']!('done', 'x', register(0), {})],
    ['a counter has no fields to migrate', () => migrate(counter())],
    ['a register has no fields', () => untyped['in']!('title', (part: unknown) => part)],
    [
      'drop("likes") hides it',
      declare(
        2,
        record({ name: register(''), done: register(false) }),
        history.rename('title', 'name'),
      ),
    ],
    [
      'is declared as a set, and its migrations lead to a counter',
      declare(1, record({ ...first.fields, likes: set() }), history),
    ],
    [
      'has version 1, and its 1 migrations lead to version 2',
      declare(undefined, first, history.drop('done')),
    ],
    ['has version 2, and its 0 migrations lead to version 1', declare(2, first, undefined)],
    [
      '"indexOf" is a method of a document',
      () => migrate(document({ a: '' })).rename('a', 'indexOf'),
    ],
    ['migrations begin with migrate()', declare(2, first, [])],
    ['there is no migration "grow"', declare(2, first, { first, steps: [{ kind: 'grow' }] })],
  ]
  for (const [message, run] of cases) {
    const error = errorOf(run)
    expect([message, error?.code]).toEqual([message, 'invalid-declaration'])
    expect(error!.message).toContain(message)
  }
})

test('migrations that do not lead to the declared state do not compile', () => {
  const history = migrate(first).drop('done')
  const missing = record({ title: register('') })
  const other = record({ title: register(0), likes: counter() })
  const takesText = { up: (old: string) => old, down: (value: string) => value }
  const check = (): void => {
    // @ts-expect-error a field of the history is missing
    entity('task', { version: 2, migrations: history, state: missing, commands })
    // @ts-expect-error a field has another type of value
    entity('task', { version: 2, migrations: history, state: other, commands })
    // @ts-expect-error there is no such field
    migrate(first).rename('titel', 'name')
    // @ts-expect-error a counter is not converted
    migrate(first).convert('likes', 'status', register<Status>('todo'), status)
    // @ts-expect-error the values of the older register are booleans
    migrate(first).convert('done', 'x', register(''), takesText)
  }
  expect(check).toThrow('declares no "likes"')
})

function errorOf(task: () => unknown): PeerplaneError | undefined {
  try {
    task()
    return undefined
  } catch (error) {
    return error as PeerplaneError
  }
}
