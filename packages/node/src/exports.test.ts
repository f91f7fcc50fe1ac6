import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import {
  declarationTable,
  expectRows,
  faultsOf,
  isData,
  isFunction,
  isUndefined,
  type FunctionTable,
  type MemberRows,
  type Parameter,
} from '@peerplane/core/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'

import * as exported from './index.ts'

const root = mkdtempSync(join(tmpdir(), 'peerplane-'))
const data = join(root, 'data')
const before = process.cwd()
// What is made although it should be refused is made here.
beforeAll(() => {
  mkdirSync(join(root, 'work'))
  process.chdir(join(root, 'work'))
})
afterAll(() => {
  process.chdir(before)
  rmSync(root, { recursive: true })
})

const codes = ['invalid-input', 'invalid-configuration', 'invalid-declaration']
const good = { entities: [], data, network: false, onError: () => undefined }

async function opened(options: unknown): Promise<void> {
  const plane = await exported.open(options as exported.OpenOptions)
  await plane.close()
  rmSync(data, { recursive: true, force: true })
}

const row = (
  takes: Parameter['takes'],
  pass: Parameter['pass'],
  more: string[] = [],
): Parameter => ({
  takes,
  pass,
  codes: [...codes, ...more],
})
const member = (name: string, takes: Parameter['takes'], more?: string[]): Parameter =>
  row(
    (value) => value === undefined || takes(value),
    (value) => opened({ ...good, [name]: value }),
    more,
  )

const never = (): boolean => false
const isSwitch = (value: unknown): boolean => typeof value === 'boolean'
const isEmptyList = (value: unknown): boolean =>
  isData(value) && Array.isArray(value) && value.length === 0
/** A name of a directory, which may be too long for the system. */
const isShort = (value: unknown): boolean =>
  typeof value === 'string' && value !== '' && value.length < 200 && value.isWellFormed()

/** Below the directory of the test, where it is a text at all. */
const below = (path: unknown): unknown =>
  typeof path === 'string' && path !== '' ? join(root, 'below', path) : path

const isTimeout = (value: unknown): boolean =>
  typeof value === 'number' && value >= 0 && value <= 2 ** 31 - 1

const opening: MemberRows<exported.OpenOptions> = {
  entities: row(isEmptyList, (entities) => opened({ ...good, entities })),
  space: member('space', isShort),
  join: member('join', never, ['invalid-invitation']),
  data: row(
    (value) => (isUndefined(value) ? undefined : isShort(value)),
    async (value) => value !== undefined && opened({ ...good, data: below(value) }),
  ),
  listen: member('listen', isEmptyList),
  announce: member('announce', isEmptyList),
  proxies: member('proxies', isEmptyList),
  anchor: member('anchor', isSwitch),
  network: member('network', (value) =>
    value === false ? true : value === true ? undefined : false,
  ),
  onError: member('onError', isFunction),
  trace: member('trace', isFunction),
  signal: member('signal', never),
  // Long enough for what is opened here.
  timeoutMs: row(
    (value) => isUndefined(value) || isTimeout(value),
    (value) => opened({ ...good, timeoutMs: isTimeout(value) ? Number(value) + 30_000 : value }),
  ),
}

const table: FunctionTable = {
  ...declarationTable(exported),
  open: {
    options: row(never, opened),
    'an entity': row(never, (each) => opened({ ...good, entities: [each] })),
    'an address to listen at': row(never, (each) =>
      opened({ ...good, network: true, listen: [each] }),
    ),
    'an address to announce': row(never, (each) =>
      opened({ ...good, network: true, announce: [each] }),
    ),
    'a proxy': row(never, (each) => opened({ ...good, proxies: [each] })),
    ...opening,
  },
  openSqliteStore: {
    options: row(never, (value) => exported.openSqliteStore(value as never)),
    path: row(
      (value) => (isShort(value) ? undefined : false),
      async (value) => !isShort(value) && exported.openSqliteStore({ path: value as string }),
      ['store-failed'],
    ),
    completing: row(
      (value) => isUndefined(value) || isSwitch(value),
      async (value) => {
        const store = await exported.openSqliteStore({
          path: join(root, 'store.db'),
          completing: value as boolean,
        })
        await store.close()
      },
    ),
  },
}

it('the table of arguments has a row for each exported function', () => expectRows(exported, table))

it.each(Object.entries(table))(
  'valid arguments are accepted, and all others are refused and change nothing: %s',
  async (_, parameters) => {
    const trace = async ({ taken }: { readonly taken: boolean }): Promise<string | undefined> =>
      !taken && existsSync(data) ? 'left a store behind' : undefined
    expect(await faultsOf(parameters, trace)).toEqual([])
    expect(readdirSync('.')).toEqual([])
  },
)
