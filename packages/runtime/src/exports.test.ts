import {
  expectRows,
  faultsOf,
  isData,
  isFunction,
  isName,
  isOptions,
} from '@peerplane/core/testing'
import type { FunctionTable } from '@peerplane/core/testing'
import { expect, it } from 'vitest'

import * as contract from './contract/index.ts'
import * as exported from './index.ts'
import { never, optional, parameter } from './testing/parameters.ts'

const { checkInvitation, checkListener, option, systemPlatform, takeOptions } = exported

const table: FunctionTable = {
  checkListener: { listener: parameter(isFunction, checkListener) },
  checkInvitation: {
    text: parameter(never, (value) => checkInvitation(value as string, systemPlatform()), [
      'invalid-invitation',
    ]),
  },
  takeOptions: {
    options: parameter(isOptions, (value) =>
      takeOptions<{ other?: string }>(value, { other: option.name }),
    ),
  },
}

const isText = (value: unknown): boolean => typeof value === 'string'
const options: FunctionTable[string] = {
  text: reader(option.text, (value) => isText(value) && isData(value)),
  name: reader(option.name, isName),
  texts: reader(
    option.texts,
    (value) => isData(value) && Array.isArray(value) && value.every(isText),
  ),
  prefix: reader(option.prefix, (value) => value === '' || isName(value)),
  oneOf: reader(
    option.oneOf('memory', 'synced'),
    (value) => value === 'memory' || value === 'synced',
  ),
  switch: reader(option.switch, (value) => typeof value === 'boolean'),
  whole: reader(option.whole, (value) => Number.isSafeInteger(value) && Number(value) >= 0),
  count: reader(option.count, (value) => Number.isSafeInteger(value) && Number(value) > 0),
  callback: reader(option.callback<() => void>(), isFunction),
}

/** What the packages of the product call, with what they have checked or made. */
const inner =
  `createPlane distinct generateKeyPair keyInStore openRuntime openWithin readStoredSpace shielded signingKeyOf systemPlatform systemReport
  webCrypto`.split(/\s+/)
const innerOfContract = 'Client Server object optional readReply readRequest targetOf text tuple'

it('the table of arguments has a row for each exported function, or lists it as internal', () => {
  expectRows(exported, table, inner)
  expectRows(contract, {}, innerOfContract.split(' '))
  expect(Object.keys(options).sort()).toEqual(Object.keys(option).sort())
})

it.each([...Object.entries(table), ['option', options] as const])(
  'valid arguments are accepted, and all others refused with a code: %s',
  async (_, parameters) => expect(await faultsOf(parameters)).toEqual([]),
)

function reader(
  read: exported.OptionReader<NonNullable<unknown>>,
  takes: (value: unknown) => boolean,
): FunctionTable[string][string] {
  return parameter(optional(takes), (value) =>
    takeOptions<{ a?: NonNullable<unknown> }>({ a: value }, { a: read }),
  )
}
