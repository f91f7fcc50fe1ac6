import { limits } from '@peerplane/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { ChannelWatch } from './channel-watch.ts'

function lengthOf(value: number): number[] {
  return value < 128 ? [value] : [128 + (value % 128), ...lengthOf(Math.floor(value / 128))]
}

const message = (length: number): number[] => [
  ...lengthOf(length),
  ...Array.from({ length }, () => 0xff),
]

describe('traffic on a WebRTC channel', () => {
  it('is refused as soon as a message announces a length above the limit, however its bytes are split', () => {
    const good = [0, 1, 127, 128, 300, limits.webRtcBytes].flatMap(message)
    const all = Uint8Array.from([...good, ...lengthOf(limits.webRtcBytes + 1)])
    const sizes = fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1 })
    fc.assert(
      fc.property(sizes, (each) => {
        const watch = new ChannelWatch()
        const found = []
        for (let at = 0, n = 0; at < all.length; at += each[n++ % each.length]!) {
          found.push(watch.read(all.subarray(at, at + each[n % each.length]!), false))
        }
        expect(found.findIndex(Boolean)).toBe(found.length - 1)
        expect(found.at(-1)).toBe('oversized')
      }),
      { numRuns: 50 },
    )
  })

  it('is refused when a length has no end', () => {
    const endless = new Uint8Array(8).fill(0x80)
    expect(new ChannelWatch().read(endless, false)).toBe('oversized')
  })

  it('is refused when there is much of it and nobody knows yet what it is for', () => {
    const part = Uint8Array.from(message(16_000))
    const times = (isYoung: boolean): unknown[] => {
      const watch = new ChannelWatch()
      return Array.from({ length: 20 }, () => watch.read(part, isYoung)).filter(Boolean)
    }
    expect(times(true)[0]).toBe('flood')
    expect(times(false)).toEqual([])
  })
})
