import { limits } from '@peerplane/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { YamuxWatch, type WatchedStream } from './yamux-watch.ts'

const [DATA, UPDATE, PING] = [0, 1, 2]

function frame(type: number, flags: number, stream: number, length: number): Uint8Array {
  const bytes = new Uint8Array(12 + (type === DATA ? Math.min(length, 1_000_000) : 0))
  const view = new DataView(bytes.buffer)
  view.setUint8(1, type)
  view.setUint16(2, flags)
  view.setUint32(4, stream)
  view.setUint32(8, length)
  return bytes
}

const watch = (streams: readonly WatchedStream[] = []) =>
  new YamuxWatch(
    () => streams,
    () => 0,
  )

describe('traffic to the multiplexer', () => {
  it('is refused as soon as a frame announces a length above the limit, however its bytes are split', () => {
    const good = frame(DATA, 0, 1, limits.streamWindowBytes)
    const bad = frame(DATA, 0, 1, limits.streamWindowBytes + 1).subarray(0, 12)
    const all = new Uint8Array([...frame(UPDATE, 0, 1, 5), ...good, ...good, ...bad])
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1 }), (sizes) => {
        const each = watch()
        for (let at = 0, n = 0; at < all.length; n += 1) {
          const size = sizes[n % sizes.length]!
          const end = Math.min(all.length, at + size)
          const refused = each.read(all.subarray(at, end))
          expect(refused).toBe(end === all.length ? 'oversized' : undefined)
          at = end
        }
      }),
      { numRuns: 30 },
    )
  })

  it('is refused if the peer sends pings or opens streams without end', () => {
    const pings = watch()
    const ping = frame(PING, 1, 0, 7)
    for (let n = 0; n < 10 * limits.pingsPerSecond; n += 1) {
      expect(pings.read(ping)).toBeUndefined()
      expect(pings.read(frame(PING, 2, 0, 7))).toBeUndefined()
    }
    expect(pings.read(ping)).toBe('flood')
    const streams = watch()
    for (let n = 0; n < limits.streams; n += 1) {
      expect(streams.read(frame(UPDATE, 1, 2 * n + 1, 0))).toBeUndefined()
    }
    expect(streams.read(frame(UPDATE, 1, 1001, 0))).toBe('flood')
  })

  it('is refused on a stream that never names its protocol', () => {
    const stream = { id: '1', protocol: '' }
    const young = watch([stream])
    const part = frame(DATA, 0, 1, limits.youngStreamBytes / 2)
    young.read(frame(UPDATE, 1, 1, 0))
    expect([young.read(part), young.read(part), young.read(part)]).toEqual([
      undefined,
      undefined,
      'flood',
    ])
    const used = watch([{ id: '1', protocol: '/link' }])
    used.read(frame(UPDATE, 1, 1, 0))
    for (let n = 0; n < 10; n += 1) expect(used.read(part)).toBeUndefined()
  })
})
