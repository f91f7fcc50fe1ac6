import { expect, test } from 'vitest'

import type { PeerplaneError } from '../errors.ts'
import { entity, storedShape } from './entity.ts'
import { migrate } from './migrations.ts'
import { counter, document, events, record, register, value } from './shapes.ts'

const first = events(
  { sum: 0 },
  {
    added: (state, by: number) => ({ sum: state.sum + by }),
    cleared: () => ({ sum: 0 }),
  },
)
const second = events(
  { total: 0 },
  {
    plus: (state, { by }: { by: number }) => ({ total: state.total + by }),
    doubled: (state) => ({ total: state.total * 2 }),
  },
)
const conversion = {
  up: ({ sum }: { sum: number }) => ({ total: sum }),
  down: ({ total }: { total: number }) => ({ sum: total }),
}
const plus = ({ by }: { by: number }): readonly ['added', number] => ['added', by]
const commands = {}

test('events are stored in the form of version 1, and events that it does not declare in their own', () => {
  const migrations = migrate(first).convertState(second, { ...conversion, events: { plus } })
  const { shape, lens } = storedShape(
    entity('sum', { version: 2, state: second, migrations, commands }),
  )
  expect(shape).toMatchObject({ kind: 'events', initial: { sum: 0 } })
  if (lens.kind !== 'state' || !lens.events) throw new Error('there are no events')
  const { store, storedFolds } = lens.events
  expect([...storedFolds.keys()]).toEqual(['added', 'cleared', 'doubled'])
  expect(storedFolds.get('added')).toBe(first.fold['added'])
  expect(storedFolds.get('doubled')!({ sum: 3 }, null)).toEqual({ sum: 6 })
  expect([store('plus', { by: 2 }), store('doubled', null)]).toEqual([
    ['added', 2],
    ['doubled', null],
  ])
})

test('a later version may introduce an event with the name of one that was always converted', () => {
  const third = events({ total: 0 }, { more: (state, by: number) => ({ total: state.total + by }) })
  const fourth = events({ total: 0 }, { ...third.fold, plus: () => ({ total: 1 }) } as never)
  const same = { up: (state: never) => state, down: (state: never) => state }
  const migrations = migrate(first)
    .convertState(second, { ...conversion, events: { plus } })
    .convertState(third, { ...same, events: { more: (by) => ['plus', { by }] } })
    .convertState(fourth as never, same)
  const { lens } = storedShape(
    entity('sum', { version: 4, state: fourth, migrations, commands } as never),
  )
  if (lens.kind !== 'state' || !lens.events) throw new Error('there are no events')
  expect([lens.events.store('plus', null), lens.events.store('more', 2)]).toEqual([
    ['plus', null],
    ['added', 2],
  ])
})

test('a state that was not migrated is stored as it is declared', () => {
  const declared = { type: 'sum', consistency: 'causal', state: first, version: 1 } as const
  expect(storedShape({ ...declared, migrations: migrate(first) })).toEqual({
    shape: first,
    lens: { kind: 'same' },
  })
})

test('migrations of a whole state that do not fit are refused where they are written', () => {
  const untyped = (history: unknown) =>
    history as { readonly [method: string]: (...args: unknown[]) => unknown }
  const from = untyped(migrate(first))
  const convert = (to: unknown, given: unknown) => () => from['convertState']!(to, given)
  const declare = (state: unknown) => () =>
    entity('sum', {
      version: 2,
      state,
      migrations: migrate(first).convertState(second, { ...conversion, events: { plus } }),
      commands,
    } as never)
  const fail = (): never => {
    throw new Error('no')
  }
  let calls = 0
  const cases: [string, () => unknown][] = [
    ['events() has no fields to migrate: use', () => from['rename']!('sum', 'total')],
    ['events() has no fields', () => from['in']!('sum', fail)],
    [
      'convert() converts a field',
      () => untyped(migrate(record({ a: register(0) })))['convertState']!(value(0), conversion),
    ],
    [
      'convert() converts a field',
      () => untyped(migrate(document({ a: 0 })))['convertState']!(value(0), conversion),
    ],
    ['events() is converted to events(), not to value()', convert(value({ total: 0 }), conversion)],
    ['to a value or to events, not to "counter"', convert(counter(), conversion)],
    ['is a shape such as', convert(undefined, conversion)],
    ['"down" of a conversion is a function', convert(second, { up: conversion.up })],
    [
      '"plus" of a conversion is a function',
      convert(second, { ...conversion, events: { plus: 1 } }),
    ],
    ['are an object of functions, not 7', convert(second, { ...conversion, events: 7 })],
    [
      'which is no event of its version',
      convert(second, { ...conversion, events: { minus: plus } }),
    ],
    ['fails for the initial state: no', convert(second, { ...conversion, up: fail })],
    ['fails for the initial state', convert(second, { ...conversion, down: () => undefined })],
    [
      'two results for one state',
      convert(second, { ...conversion, down: () => ({ sum: ++calls }) }),
    ],
    ['loses the initial state', convert(second, { ...conversion, up: () => ({ total: 1 }) })],
    [
      'an earlier version has an event "added"',
      () => {
        const history = untyped(convert(second, { ...conversion, events: { plus } })())
        history['convertState']!(first, { up: conversion.down, down: conversion.up })
      },
    ],
    ['is declared by value(), and its migrations lead to events()', declare(value({ total: 0 }))],
    ['pass the same shape to both', declare(events({ total: 1 }, second.fold as never))],
    ['pass the same shape to both', declare(events({ total: 0 }, { plus: () => ({ total: 0 }) }))],
  ]
  for (const [message, run] of cases) {
    const error = errorOf(run)
    expect([message, error?.code, error?.message]).toEqual([
      message,
      'invalid-declaration',
      expect.stringContaining(message),
    ])
  }
})

test('an event that is converted to what the version before does not declare is refused', () => {
  for (const stored of [['plus', 1], ['added'], 'added', null]) {
    const { lens } = storedShape(
      entity('sum', {
        version: 2,
        state: second,
        migrations: migrate(first).convertState(second, {
          ...conversion,
          events: { plus: () => stored as never },
        }),
        commands,
      }),
    )
    const store = (): unknown => lens.kind === 'state' && lens.events!.store('plus', null)
    expect(errorOf(store)).toMatchObject({ code: 'invalid-declaration' })
  }
})

test('migrations of a whole state that do not lead to the declared state do not compile', () => {
  const history = migrate(first).convertState(second, { ...conversion, events: { plus } })
  const check = (): void => {
    // @ts-expect-error the history leads to other events
    entity('sum', { version: 2, migrations: history, state: first, commands })
    // @ts-expect-error the kind of the state changes
    migrate(first).convertState(value({ total: 0 }), conversion)
    // @ts-expect-error the older version has no such event
    migrate(first).convertState(second, { ...conversion, events: { plus: () => ['minus', 1] } })
    // @ts-expect-error the older event holds a number
    migrate(first).convertState(second, { ...conversion, events: { plus: () => ['added', ''] } })
    // @ts-expect-error the older state has a sum
    migrate(first).convertState(second, { ...conversion, down: () => ({ total: 0 }) })
    // @ts-expect-error a record has no state that one device writes
    migrate(record({ a: register(0) })).convertState(value(0), conversion)
  }
  expect(check).toThrow('is not what its last migration leads to')
})

function errorOf(task: () => unknown): PeerplaneError | undefined {
  try {
    task()
    return undefined
  } catch (error) {
    return error as PeerplaneError
  }
}
