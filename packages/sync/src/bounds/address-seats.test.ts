import type { Refusal } from '@peerplane/core'
import { describe, expect, it } from 'vitest'

import { addressGroup, AddressSeats } from './address-seats.ts'

function setUp(
  total: number,
  perAddress: number,
  proxies: readonly string[] = [],
  random?: { bytes(length: number): Uint8Array },
) {
  const seats = new AddressSeats({ total, perAddress, proxies, ...(random && { random }) })
  const gone: [string, Refusal][] = []
  const come = (name: string, address: string) =>
    seats.take(address, { dismiss: (why) => gone.push([name, why]) })
  return { seats, gone, come }
}

describe('seats for those who come', () => {
  it('the oldest of an address with too many gives way', () => {
    const { gone, come, seats } = setUp(10, 2)
    for (const name of ['a', 'b', 'c', 'd']) come(name, '10.0.0.1')
    come('e', '10.0.0.2')
    expect(gone).toEqual([
      ['a', 'address'],
      ['b', 'address'],
    ])
    expect(seats.taken).toBe(3)
  })

  it('when all are taken, the oldest of the address with most gives way, and who has gone is not asked', () => {
    const { gone, come } = setUp(4, 3)
    come('single', '10.0.0.9')
    const leave = come('a1', '10.0.0.1')
    come('a2', '10.0.0.1')
    come('a3', '10.0.0.1')
    leave()
    leave()
    come('b', '10.0.0.2')
    expect(gone).toEqual([])
    come('c', '10.0.0.3')
    expect(gone).toEqual([['a2', 'no-room']])
  })

  it('a proxy stands for many', () => {
    const { gone, come } = setUp(4, 1, ['::ffff:127.0.0.1'])
    for (const name of ['a', 'b', 'c', 'd', 'e']) come(name, '127.0.0.1')
    expect(gone).toEqual([['a', 'no-room']])
  })

  it('when all seats are taken, a connection to close is chosen at random from the older half', () => {
    for (let byte = 0; byte < 256; byte++) {
      const random = { bytes: () => Uint8Array.of(byte) }
      const { gone, come } = setUp(6, 6, [], random)
      for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) come(name, '10.0.0.1')
      expect(gone).toEqual([[['a', 'b', 'c'][byte % 3], 'address']])
    }
  })

  it.each([
    ['10.1.2.3', '10.1.2.3'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:1:2::5', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['2001:db8::', '2001:db8:0:0::/64'],
  ])('%s is counted as %s', (address, group) => {
    expect(addressGroup(address)).toBe(group)
  })
})
