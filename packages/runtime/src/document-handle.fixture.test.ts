import { limits } from '@peerplane/core'
import { isData, isUndefined, type FunctionTable, type Parameter } from '@peerplane/core/testing'

import { unchanged } from './native-handles.fixture.test.ts'
import { never, optional, parameter, refusals } from './testing/parameters.ts'
import type { Tried } from './testing/plane-table.ts'
import { application, Page } from './testing/things.ts'

type Loose = { [name: string]: unknown } & {
  readonly items: unknown[]
  readonly nested: { [name: string]: unknown }
  splice(...args: unknown[]): void
  positionAt(...args: unknown[]): string
  indexOf(...args: unknown[]): number
}

/** What a handler may do to a document, and what plain data does not do. */
export function documentTable(tried: Tried): FunctionTable {
  const row = (
    takes: Parameter['takes'],
    act: (page: Loose, value: unknown) => unknown,
    codes = refusals,
  ): Parameter =>
    parameter(
      takes,
      (value) => {
        application.page = (page) =>
          unchanged(
            () => JSON.stringify(page),
            () => void act(page as unknown as Loose, value),
          )
        return tried.plane.get(Page, 'a').run()
      },
      codes,
    )
  const key = [...refusals, 'handler-failed']
  return {
    splice: {
      path: row(never, (page, value) => page.splice(value, 0, 0, 'x')),
      step: row(never, (page, value) => page.splice([value], 0, 0, 'x')),
      index: row(isIn(3), (page, value) => page.splice(['text'], value, 0, 'x')),
      deleteCount: row(isIn(3), (page, value) => page.splice(['text'], 0, value, 'x')),
      text: row(isText, (page, value) => page.splice(['text'], 1, 1, value)),
    },
    positionAt: {
      path: row(never, (page, value) => page.positionAt(value, 0)),
      index: row(isIn(3), (page, value) => page.positionAt(['text'], value)),
      neighbour: row(isUndefined, (page, value) => page.positionAt(['text'], 1, value)),
    },
    indexOf: {
      path: row(never, (page, value) => page.indexOf(value, '>e')),
      position: row(never, (page, value) => page.indexOf(['text'], value)),
    },
    'a list': {
      push: row(isContent, ({ items }, value) => items.push(value)),
      unshift: row(isContent, ({ items }, value) => items.unshift(value)),
      'start of splice': row(isPosition, ({ items }, value) => items.splice(value as number, 1)),
      'number of splice': row(optional(isPosition), ({ items }, value) =>
        items.splice(0, value as number),
      ),
      'item of splice': row(isContent, ({ items }, value) => items.splice(1, 1, value)),
    },
    'a member': {
      value: row(isContent, (page, value) => (page['text'] = value)),
      'value below': row(isContent, ({ nested }, value) => (nested['x'] = value)),
      key: row(isMemberKey, (page, value) => (page[value as string] = 1), key),
      'key read': row(undecided, (page, value) => page[value as string], key),
      'key asked for': row(undecided, (page, value) => (value as string) in page, key),
      'key deleted': row(undecided, (page, value) => delete page[value as string], key),
      method: row(never, (page, value) => (page['splice'] = value as never)),
    },
    'an item': {
      value: row(isContent, ({ items }, value) => (items[1] = value)),
      'value behind the last': row(isContent, ({ items }, value) => (items[3] = value)),
      'value beyond': row(never, ({ items }, value) => (items[9] = value)),
      place: row(isPlace, ({ items }, value) => (items[value as number] = 1), key),
      'place read': row(undecided, ({ items }, value) => items[value as number], key),
      'place asked for': row(undecided, ({ items }, value) => (value as number) in items, key),
      'place deleted': row(
        never,
        ({ items }, value) => Reflect.deleteProperty(items, value as number),
        key,
      ),
      length: row(isIn(3), ({ items }, value) => (items.length = value as number)),
    },
    'a property': {
      defined: row(never, (page, value) => Object.defineProperty(page, 'x', { value })),
      'defined in a list': row(never, ({ items }, value) =>
        Object.defineProperty(items, 0, { value }),
      ),
      prototype: row(never, (page, value) => Object.setPrototypeOf(page, value as object), key),
      frozen: row(never, (page) => Object.freeze(page)),
      'frozen list': row(never, ({ items }) => Object.freeze(items)),
    },
  }
}

const undecided = (): undefined => undefined
const isText = (value: unknown): boolean =>
  typeof value === 'string' && value.isWellFormed() && value.length < limits.documentCommandOps
/** Automerge keeps whole numbers apart from others, and none beyond the safe ones. */
const isContent = (value: unknown): boolean =>
  isData(value) &&
  (typeof value !== 'string' || isText(value)) &&
  (!Number.isInteger(value) || Number.isSafeInteger(value))
const isPosition = (value: unknown): boolean => typeof value === 'number' && !Number.isNaN(value)
const isIn =
  (length: number) =>
  (value: unknown): boolean =>
    Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= length
const isPlace = (value: unknown): boolean | undefined =>
  typeof value === 'object' ? undefined : value === '1' || isIn(3)(value)

/** Whether it names a member, as JavaScript makes a key of it. */
function isMemberKey(value: unknown): boolean | undefined {
  if (typeof value === 'symbol') return false
  if (typeof value === 'object' || typeof value === 'function') return undefined
  const key = `${value as string}`
  return key.isWellFormed() && key !== '__proto__' && key.length <= limits.valueBytes + 1
}
