import {
  declarationTable,
  expectRows,
  faultsOf,
  isData,
  isFunction,
  isName,
  isUndefined,
  type FunctionTable,
  type MemberRows,
  type Parameter,
} from '@peerplane/core/testing'
import { expect, it } from 'vitest'

import * as exported from './index.ts'

const space = `exports ${performance.now()}`
const good = { entities: [], space, network: false, onError: () => undefined }

async function opened(options: unknown): Promise<void> {
  const plane = await exported.open(options as exported.OpenOptions)
  await plane.close()
}

const row = (
  takes: Parameter['takes'],
  pass: Parameter['pass'],
  codes: readonly string[] = ['invalid-input', 'invalid-declaration'],
): Parameter => ({ takes, pass, codes })

const member = (name: string, takes: Parameter['takes'], codes?: readonly string[]): Parameter =>
  row(
    (value) => value === undefined || takes(value),
    (value) => opened({ ...good, [name]: value }),
    codes,
  )

const never = (): boolean => false
const isText = (value: unknown): boolean => typeof value === 'string'
const isSwitch = (value: unknown): boolean => typeof value === 'boolean'
const isWhole = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0
const isEmptyList = (value: unknown): boolean =>
  isData(value) && Array.isArray(value) && value.length === 0

const isTimeout = (value: unknown): boolean =>
  typeof value === 'number' && value >= 0 && value <= 2 ** 31 - 1

const opening: MemberRows<exported.OpenOptions> = {
  entities: row(isEmptyList, (entities) => opened({ ...good, entities })),
  space: member('space', isName),
  version: member('version', isWhole),
  join: member('join', never, ['invalid-input', 'invalid-invitation']),
  online: member('online', isSwitch),
  network: member('network', isSwitch),
  iceServers: member('iceServers', isEmptyList),
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
    'an ICE server': row(never, (each) => opened({ ...good, iceServers: [each] })),
    ...opening,
  },
  invitationIn: { address: row(isText, (value) => exported.invitationIn(value as string)) },
  requestPersistence: {},
  spaces: {},
  eraseSpace: { name: row(isName, (value) => exported.eraseSpace(value as string)) },
}

it('the table of arguments has a row for each exported function', () => expectRows(exported, table))

it.each(Object.entries(table))(
  'valid arguments are accepted, and all others are refused and change nothing: %s',
  async (_, parameters) => {
    let before = await databases()
    const trace = async ({ taken }: { readonly taken: boolean }): Promise<string | undefined> => {
      const after = await databases()
      const left = !taken && after.length > before.length ? `left ${after.at(-1)}` : undefined
      before = after
      return left
    }
    expect(await faultsOf(parameters, trace)).toEqual([])
  },
)

const databases = async (): Promise<(string | undefined)[]> =>
  (await indexedDB.databases()).map(({ name }) => name)
