import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { compareBytes } from './bytes.ts'
import { anyText, brokenText } from './testing/any-text.ts'
import { compareTexts, fromUtf8, utf8 } from './text.ts'

const texts = fc.oneof(anyText, fc.string({ unit: 'binary' }))

describe('texts', () => {
  test('come back from bytes as they were', () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(fromUtf8(utf8(text))).toBe(text)
      }),
    )
  })

  test('with a lone surrogate cannot be encoded', () => {
    fc.assert(
      fc.property(brokenText, (text) => {
        expect(() => utf8(text)).toThrow(expect.objectContaining({ code: 'invalid-input' }))
      }),
    )
  })

  test.each([[[0xff]], [[0xed, 0xa0, 0x80]], [[0xc0, 0x80]], [[0xe2, 0x82]]])(
    'of the bytes %j do not exist',
    (bytes) => {
      expect(() => fromUtf8(Uint8Array.from(bytes))).toThrow(
        expect.objectContaining({ code: 'malformed' }),
      )
    },
  )

  test('are sorted in the order of their UTF-8 bytes', () => {
    fc.assert(
      fc.property(texts, texts, (a, b) => {
        const bytes = Math.sign(compareBytes(utf8(a), utf8(b)))
        expect(Math.sign(compareTexts(a, b))).toBe(bytes)
      }),
      { numRuns: 1000 },
    )
  })
})
