import { limits, type Where } from '@peerplane/core'
import {
  either,
  isData,
  isUndefined,
  type FunctionTable,
  type Parameter,
} from '@peerplane/core/testing'

import { never, optional, parameter, refusals } from './testing/parameters.ts'
import type { Tried } from './testing/plane-table.ts'
import { application, Thing, type ThingHandle } from './testing/things.ts'

/** A handle whose functions anybody may call with anything. */
type Loose = { readonly [name: string]: (...args: unknown[]) => unknown }

/** The functions of the handles of native state, by the field they are found at. */
export function nativeTables(tried: Tried): {
  readonly [field in keyof ThingHandle]: FunctionTable
} {
  const within =
    (field: keyof ThingHandle, act: (handle: Loose, value: unknown) => unknown) =>
    (value: unknown): unknown => {
      application.handler = (thing) =>
        unchanged(
          () => dataOf(thing),
          () => act(thing[field] as unknown as Loose, value),
        )
      return tried.plane.get(Thing, 'a').run()
    }
  const row = (field: keyof ThingHandle, takes: Parameter['takes'], name: string): Parameter =>
    parameter(
      takes,
      within(field, (handle, value) => void handle[name]!(value)),
    )
  const by = (name: string): FunctionTable[string] => ({
    by: row('count', optional(Number.isSafeInteger), name),
  })
  const element = (name: string): FunctionTable[string] => ({
    element: row('tags', either(isKey, isSmallData), name),
  })
  const whole = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
  const set = (field: keyof ThingHandle): FunctionTable[string] => ({
    value: row(field, either(isKey, isSmallData), 'set'),
  })
  const withClock = (
    field: 'measured' | 'numbered',
    takes: Parameter['takes'],
  ): FunctionTable[string] => ({
    value: parameter(
      either(isKey, isSmallData),
      within(field, (handle, value) => void handle['set']!(value, 1)),
    ),
    clock: parameter(
      takes,
      within(field, (handle, clock) => void handle['set']!('', clock)),
    ),
  })
  const key = (name: string): FunctionTable[string] => ({ key: row('stock', isKey, name) })
  return {
    count: { increment: by('increment'), decrement: by('decrement') },
    note: { set: set('note') },
    tags: { has: element('has'), add: element('add'), delete: element('delete') },
    rows: {
      get: {
        key: parameter(
          never,
          within('rows', (rows, key) => void rows['get']!(key)),
          absent,
        ),
      },
      insert: {
        where: parameter(
          either(isUndefined, isEnd),
          within('rows', (rows, where) => void rows['insert']!(where)),
          [...refusals, ...absent],
        ),
      },
      move: {
        key: parameter(
          never,
          within('rows', (rows, key) => void rows['move']!(key, 'first')),
          absent,
        ),
        where: parameter(isEnd, moveTo(tried), [...refusals, ...absent]),
      },
      delete: {
        key: parameter(
          () => true,
          within('rows', (rows, key) => void rows['delete']!(key)),
        ),
      },
    },
    grown: { increment: { by: row('grown', optional(whole), 'increment') } },
    kept: {
      has: { element: row('kept', either(isKey, isSmallData), 'has') },
      add: { element: row('kept', either(isKey, isSmallData), 'add') },
    },
    lit: { enable: {}, disable: {} },
    votes: { vote: { vote: row('votes', (value) => typeof value === 'boolean', 'vote') } },
    opinions: { set: set('opinions') },
    first: { set: set('first') },
    measured: { set: withClock('measured', whole) },
    numbered: { set: withClock('numbered', optional(whole)) },
    outline: outlineTable(tried, within),
    body: bodyTable(within),
    stock: { has: key('has'), add: key('add'), get: key('get'), delete: key('delete') },
  }
}

/** The functions of the handle of a text, which is empty. */
function bodyTable(
  within: (
    field: 'body',
    act: (handle: Loose, value: unknown) => unknown,
  ) => (value: unknown) => unknown,
): FunctionTable {
  const row = (
    takes: Parameter['takes'],
    act: (body: Loose, value: unknown) => unknown,
  ): Parameter =>
    parameter(
      takes,
      within('body', (body, value) => void act(body, value)),
    )
  const isStart = (value: unknown): boolean => value === 0
  return {
    set: { text: row(isText, (body, value) => body['set']!(value)) },
    insert: {
      at: row(isStart, (body, value) => body['insert']!(value, '')),
      text: row(isText, (body, value) => body['insert']!(0, value)),
    },
    delete: {
      at: row(isStart, (body, value) => body['delete']!(value, 0)),
      count: row(isStart, (body, value) => body['delete']!(0, value)),
    },
    splice: {
      at: row(isStart, (body, value) => body['splice']!(value, 0, '')),
      deleteCount: row(isStart, (body, value) => body['splice']!(0, value, '')),
      text: row(isText, (body, value) => body['splice']!(0, 0, value)),
    },
    positionAt: {
      index: row(isStart, (body, value) => body['positionAt']!(value)),
      neighbour: row(isUndefined, (body, value) => body['positionAt']!(0, value)),
    },
    indexOf: { position: row(never, (body, value) => body['indexOf']!(value)) },
    toString: {},
  }
}

const isText = (value: unknown): boolean =>
  typeof value === 'string' && value.isWellFormed() && value.length < limits.commitBytes

/** The functions of the handle of a tree. */
function outlineTable(
  tried: Tried,
  within: (
    field: 'outline',
    act: (handle: Loose, value: unknown) => unknown,
  ) => (value: unknown) => unknown,
): FunctionTable {
  const row = (
    takes: Parameter['takes'],
    act: (outline: Loose, value: unknown) => unknown,
    codes: readonly string[] = absent,
  ): Parameter => parameter(takes, within('outline', act), codes)
  return {
    children: { parent: row(isUndefined, (outline, parent) => void outline['children']!(parent)) },
    get: { key: row(never, (outline, key) => void outline['get']!(key)) },
    insert: {
      parent: row(isUndefined, (outline, parent) => void outline['insert']!(parent)),
      where: row(
        either(isUndefined, isEnd),
        (outline, where) => void outline['insert']!(undefined, where),
        [...refusals, ...absent],
      ),
    },
    move: {
      key: row(never, (outline, key) => void outline['move']!(key)),
      parent: parameter(
        isUndefined,
        moveNode(tried, (outline, key, parent) => outline.move(key, parent as string)),
        absent,
      ),
      where: parameter(
        either(isUndefined, isEnd),
        moveNode(tried, (outline, key, where) => outline.move(key, undefined, where as Where)),
        [...refusals, ...absent],
      ),
    },
    delete: {
      key: row(
        () => true,
        (outline, key) => void outline['delete']!(key),
      ),
    },
  }
}

/** Moves a node of a tree that has one. */
const moveNode =
  (tried: Tried, move: (outline: ThingHandle['outline'], key: string, value: unknown) => void) =>
  (value: unknown): unknown => {
    application.handler = (thing) => {
      const { key } = thing.outline.insert()
      unchanged(
        () => dataOf(thing),
        () => move(thing.outline, key, value),
      )
    }
    return tried.plane.get(Thing, 'a').run()
  }

const absent = ['rejected']
const isEnd = (value: unknown): boolean => value === 'first' || value === 'last'

/** Moves an element of a list that has one. */
const moveTo =
  (tried: Tried) =>
  (where: unknown): unknown => {
    application.handler = (thing) => {
      const { key } = thing.rows.insert()
      unchanged(
        () => dataOf(thing),
        () => thing.rows.move(key, where as Where),
      )
    }
    return tried.plane.get(Thing, 'a').run()
  }

/** What is assigned to a handle of native state, where its functions are to be called. */
export function assignments(tried: Tried): FunctionTable[string] {
  const row = (partOf: (thing: ThingHandle) => object, name: string): Parameter =>
    parameter(
      never,
      (value) => {
        application.handler = (thing) =>
          unchanged(
            () => dataOf(thing),
            () => {
              const part = partOf(thing) as { [name: string]: unknown }
              part[name] = value
            },
          )
        return tried.plane.get(Thing, 'a').run()
      },
      ['handler-failed'],
    )
  return {
    'a field': row((thing) => thing, 'count'),
    'another field': row((thing) => thing, 'other'),
    'the value of a counter': row(({ count }) => count, 'value'),
    'a member of a counter': row(({ count }) => count, 'other'),
    'the value of a register': row(({ note }) => note, 'value'),
    'a member of a register': row(({ note }) => note, 'other'),
    'the values of a set': row(({ tags }) => tags, 'values'),
    'an item of the values of a set': row(({ tags }) => tags.values, '0'),
    'a key of a map': row(({ stock }) => stock, 'key'),
    'a key of a list': row(({ rows }) => rows.keys, '0'),
    'a member of a list': row(({ rows }) => rows, 'other'),
    'a child in a tree': row(({ outline }) => outline.children(), '0'),
    'the value of a text': row(({ body }) => body, 'value'),
    'a member of a text': row(({ body }) => body, 'other'),
    'a member of a tree': row(({ outline }) => outline, 'other'),
    'a member of the value in a map': row(({ stock }) => stock.get('key'), 'other'),
  }
}

/** What a handle does not change when it refuses: a handler may go on. */
export function unchanged(look: () => string, act: () => unknown): void {
  const before = look()
  try {
    act()
  } catch (error) {
    if (look() !== before) throw new RangeError(`${before} became ${look()}`, { cause: error })
    throw error
  }
}

const dataOf = (thing: ThingHandle): string => {
  const { count, note, tags, stock, rows, outline, grown, kept, lit, votes } = thing
  const { opinions, measured, numbered, body } = thing
  return JSON.stringify([
    [
      count.value,
      note.value,
      tags.values,
      stock.keys,
      rows.keys,
      outline.children(),
      grown.value,
      kept.values,
      lit.value,
    ],
    [
      votes.votes,
      opinions.values,
      measured.value,
      measured.clock,
      numbered.value,
      numbered.clock,
      body.value,
    ],
  ])
}

const isKey = (value: unknown): boolean =>
  typeof value === 'string' && value.length <= limits.valueBytes && value.isWellFormed()
const isSmallData = (value: unknown): boolean => typeof value !== 'string' && isData(value)
