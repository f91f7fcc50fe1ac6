import { concatBytes } from '@peerplane/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { encodeFrames, encodeHeader, FrameDecoder, type Token } from './frame-codec.ts'

const all = (decoder: FrameDecoder): Token[] => {
  const tokens: Token[] = []
  for (let token = decoder.next(); token; token = decoder.next()) tokens.push(token)
  return tokens
}

describe('frame codec', () => {
  it('writes frames and credits as the specification says', () => {
    expect(encodeFrames([new Uint8Array([0x82, 0x06, 0xf6])])).toEqual(
      new Uint8Array([0, 0, 0, 3, 0x82, 0x06, 0xf6]),
    )
    expect(encodeHeader(262_144, true)).toEqual(new Uint8Array([0x80, 4, 0, 0]))
  })

  it('gives back the frames however the bytes are cut', () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 })
    const cuts = fc.array(fc.integer({ min: 1, max: 17 }), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(payloads, cuts, (frames, sizes) => {
        const bytes = concatBytes(encodeFrames(frames), encodeHeader(7, true))
        const decoder = new FrameDecoder()
        const tokens: Token[] = []
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1
          decoder.push(bytes.subarray(at, at + size))
          tokens.push(...all(decoder))
          at += size
        }
        const expected: Token[] = frames.map((payload) => ({ kind: 'frame', payload }))
        expect(tokens).toEqual([...expected, { kind: 'credit', bytes: 7 }])
        expect(decoder.held).toBe(0)
      }),
    )
  })

  // R-FRAME-1
  it('a frame beyond the limit is refused before it arrives', () => {
    const decoder = new FrameDecoder(1000)
    decoder.push(encodeHeader(1001))
    expect(() => decoder.next()).toThrow(expect.objectContaining({ code: 'too-large' }))
  })

  it('keeps what belongs to nobody yet', () => {
    const decoder = new FrameDecoder()
    decoder.push(concatBytes(encodeFrames([new Uint8Array([1])]), new Uint8Array([9, 9])))
    expect(decoder.next()).toEqual({ kind: 'frame', payload: new Uint8Array([1]) })
    expect(decoder.rest()).toEqual(new Uint8Array([9, 9]))
  })
})
