import { anyArguments, expectRows, faultsOf, type FunctionTable } from '@peerplane/core/testing'
import { expect, it } from 'vitest'

import * as exported from './index.ts'
import * as libp2p from './libp2p/index.ts'

const table: FunctionTable = {
  isMultiaddress: {
    text: {
      takes: () => true,
      pass: (value) => libp2p.isMultiaddress(value as string),
      codes: [],
    },
  },
}

it('the table of arguments has a row for each exported function, or lists it as internal', () => {
  expectRows(exported, {}, ['AddressSeats', 'BytePool', 'Served', 'createSync', 'selectorOf'])
  const inner = ['createLibp2pNetwork', 'Door', 'monotonic', 'Refusals']
  expectRows(libp2p, table, inner)
})

it('what is no multiaddress is known as such', async () => {
  expect(await faultsOf(table['isMultiaddress']!)).toEqual([])
  const taken = anyArguments.filter(([, value]) => libp2p.isMultiaddress(value as string))
  expect(taken).toEqual([])
})
