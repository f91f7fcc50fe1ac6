import { limits, type DeviceId } from '@peerplane/core'
import { describe, expect, it } from 'vitest'

import { ShutOuts } from './shut-outs.ts'

const device = 'a' as DeviceId
const other = 'b' as DeviceId

describe('a device that broke a rule', () => {
  it('is shut out for longer each time, up to a bound; after a time without violations, the time is short again', () => {
    let now = 0
    const outs = new ShutOuts(() => now)
    const pauses: number[] = []
    for (let time = 0; time < 15; time += 1) {
      const pause = outs.offend(device)
      pauses.push(pause)
      now += pause - 1
      expect(outs.mayEnter(device)).toBe(false)
      expect(outs.mayEnter(other)).toBe(true)
      now += 1
      expect(outs.mayEnter(device)).toBe(true)
    }
    expect(pauses.slice(0, 4)).toEqual([1, 2, 4, 8].map((n) => n * limits.shutOutFirstMs))
    expect(pauses.at(-1)).toBe(limits.shutOutMostMs)
    now += 2 * 3_600_000
    expect(outs.mayEnter(device)).toBe(true)
    expect(outs.offend(device)).toBe(limits.shutOutFirstMs)
  })

  it('a device that connects too often is shut out', () => {
    let now = 0
    const outs = new ShutOuts(() => now)
    for (let time = 0; time < limits.deviceArrivals; time += 1) {
      expect(outs.mayEnter(device)).toBe(true)
    }
    expect(outs.mayEnter(device)).toBe(false)
    expect(outs.isOut(device)).toBe(true)
    expect(outs.mayEnter(other)).toBe(true)
    now += 60_000
    expect(outs.mayEnter(device)).toBe(true)
  })

  it('does not fill memory with others', () => {
    const outs = new ShutOuts(() => 0)
    outs.offend(device)
    for (let n = 0; n < 3 * limits.shutOutMemory; n += 1) {
      outs.offend(`${n}` as DeviceId)
      outs.mayEnter(`x${n}` as DeviceId)
    }
    expect(outs.isOut(device)).toBe(false)
    expect(outs.isOut(`${3 * limits.shutOutMemory - 1}` as DeviceId)).toBe(true)
  })
})
