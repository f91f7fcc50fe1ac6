import { limits, type DeviceId } from '@peerplane/core'
import { describe, expect, it } from 'vitest'

import { Seats } from './seats.ts'

const seat = (device: string, address?: string) => ({ device: device as DeviceId, address })

describe('the seats of members', () => {
  it('of one device: the oldest gives way', () => {
    const seats = new Seats<number>()
    for (let n = 0; n < limits.linksPerDevice; n += 1) {
      expect(seats.sit(n, seat('a'))).toBeUndefined()
    }
    expect(seats.sit(100, seat('a'))).toEqual({ held: 0, why: 'device' })
    expect(seats.sit(101, seat('a'))).toEqual({ held: 1, why: 'device' })
  })

  it('when all seats are taken, the device with the most links loses its newest link; if no device has several links, the new device is refused', () => {
    const seats = new Seats<string>(4)
    for (const held of ['a1', 'b1', 'b2', 'a2']) seats.sit(held, seat(held.slice(0, 1)))
    expect(seats.sit('c1', seat('c'))).toEqual({ held: 'a2', why: 'no-room' })
    expect(seats.sit('d1', seat('d'))).toEqual({ held: 'b2', why: 'no-room' })
    expect(seats.sit('e1', seat('e'))).toEqual({ held: 'e1', why: 'no-room' })
    seats.leave('c1')
    expect(seats.sit('f1', seat('f'))).toBeUndefined()
  })

  it('of one address: others have room, wherever in a network of one customer they come from', () => {
    const seats = new Seats<number>()
    const at = (n: number) => seat(`device ${n}`, `2001:db8:1:2:${n.toString(16)}::1`)
    for (let n = 0; n < limits.linksPerAddress; n += 1) expect(seats.sit(n, at(n))).toBeUndefined()
    expect(seats.sit(1000, at(1000))).toEqual({ held: 1000, why: 'address' })
    expect(seats.sit(2000, seat('elsewhere', '2001:db8:1:3::1'))).toBeUndefined()
    expect(seats.sit(3000, seat('nowhere'))).toBeUndefined()
  })
})
