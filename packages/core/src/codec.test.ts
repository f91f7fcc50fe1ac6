import { decode, encode, rfc8949EncodeOptions } from 'cborg'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { compareBytes, fromHex, toHex } from './bytes.ts'
import { decodeCanonical, encodeCanonical } from './codec.ts'
import type { Value } from './value.ts'
import { PeerplaneError } from './errors.ts'

/** Among these the other implementation does not look for half precision, as the standard demands. */
const isSubnormalHalf = (tried: number): boolean => tried !== 0 && Math.abs(tried) < 2 ** -14

const number = fc
  .oneof(
    fc.maxSafeInteger(),
    fc.integer(),
    fc.nat(300),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.float({ noNaN: true, noDefaultInfinity: true }),
    fc.nat(65_535).map((step) => step / 64),
  )
  .filter((each) => !isSubnormalHalf(each))
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.constant('__proto__'),
  fc.constant('\uFEFFmarked'),
)
const { value: values } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    number,
    text,
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 30 }),
    fc.dictionary(text, tie('value'), { maxKeys: 30 }),
  ),
}))
const other = (value: Value): Uint8Array => new Uint8Array(encode(value, rfc8949EncodeOptions))

describe('canonical encoding', () => {
  test('writes the same bytes as another implementation, and reads them back', () => {
    fc.assert(
      fc.property(values, (value) => {
        const encoded = encodeCanonical(value)
        expect(encoded).toEqual(other(value))
        expect(encodeCanonical(decodeCanonical(encoded))).toEqual(encoded)
        expect(decodeCanonical(encoded)).toEqual(normal(value))
      }),
      { numRuns: 1000 },
    )
  })

  test('numbers at the edges of their lengths and of each float', () => {
    const edges = [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]
    const floats = [
      65_504.5,
      65_503.5,
      1.5,
      2 ** -14,
      2 ** -24,
      2 ** -25,
      3 * 2 ** -24,
      2 ** -149,
      5e-324,
    ]
    for (const edge of [...edges, ...floats, 2 ** 53, 1e300, 0.1, 2 ** 127]) {
      for (const each of [edge, -edge, -1 - edge]) {
        const isSame = compareBytes(encodeCanonical(each), other(each)) === 0
        expect(isSame || isSubnormalHalf(each)).toBe(true)
        expect(decodeCanonical(encodeCanonical(each))).toBe(each === 0 ? 0 : each)
      }
    }
  })

  // RFC 8949, appendix A.
  test.each([
    [5.960464477539063e-8, 'f90001'],
    [0.00006103515625, 'f90400'],
    [1.5, 'f93e00'],
    [3.4028234663852886e38, 'fa7f7fffff'],
    [1.1, 'fb3ff199999999999a'],
    [-4.1, 'fbc010666666666666'],
    [1e300, 'fb7e37e43c8800759c'],
    [1_000_000_000_000, '1b000000e8d4a51000'],
    [-1000, '3903e7'],
  ])('%d as in the standard', (each, hex) => {
    expect(toHex(encodeCanonical(each))).toBe(hex)
    expect(decodeCanonical(fromHex(hex))).toBe(each)
  })

  test('a value that outgrows the scratch buffer, and one after it', () => {
    const large = [new Uint8Array(3_000_000).fill(7), 'x'.repeat(100_000), 1]
    expect(encodeCanonical(large)).toEqual(other(large))
    expect(decodeCanonical(encodeCanonical(large))).toEqual(large)
    expect(encodeCanonical([1])).toEqual(Uint8Array.of(0x81, 1))
  })

  test('accepts exactly the bytes that encode what they decode to', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      fc.tuple(values, fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
        const changed = encodeCanonical(value)
        changed[at % changed.length] = byte
        return changed
      }),
    )
    fc.assert(
      fc.property(bytes, (tried) => {
        const decoded = attempt(tried)
        const isRight =
          decoded === undefined
            ? !isCanonical(tried)
            : compareBytes(encodeCanonical(decoded), tried) === 0
        expect(isRight).toBe(true)
      }),
      { numRuns: 5000 },
    )
  })

  test.each([
    ['nothing', []],
    ['a longer head than needed', [0x18, 0x17]],
    ['an indefinite array', [0x9f, 0xff]],
    ['a tag', [0xc1, 0x00]],
    ['undefined', [0xf7]],
    ['NaN', [0xf9, 0x7e, 0x00]],
    ['infinity', [0xf9, 0x7c, 0x00]],
    ['a whole number as float', [0xf9, 0x3c, 0x00]],
    ['minus zero', [0xf9, 0x80, 0x00]],
    ['a float that fits into half', [0xfa, 0x3f, 0xc0, 0x00, 0x00]],
    ['keys out of order', [0xa2, 0x61, 0x62, 0x00, 0x61, 0x61, 0x00]],
    ['a key twice', [0xa2, 0x61, 0x61, 0x00, 0x61, 0x61, 0x00]],
    ['a key that is a number', [0xa1, 0x01, 0x00]],
    ['text that is not UTF-8', [0x61, 0xff]],
    ['text that ends too early', [0x62, 0x61]],
    ['an array of a billion items', [0x9a, 0x3b, 0x9a, 0xca, 0x00]],
    ['a text of 2^60 bytes', [0x7b, 0x10, 0, 0, 0, 0, 0, 0, 0]],
    ['an integer that is not safe', [0x1b, 0x00, 0x20, 0, 0, 0, 0, 0, 0]],
    ['bytes after the value', [0x01, 0x01]],
    ['a hundred thousand levels', [...new Uint8Array(100_000).fill(0x81), 0]],
  ])('refuses %s', (_, bytes) => {
    expect(() => decodeCanonical(Uint8Array.from(bytes))).toThrow(
      expect.objectContaining({ code: 'malformed' }),
    )
  })

  test('refuses to encode what is no value', () => {
    const holes: unknown[] = [undefined]
    expect(() => encodeCanonical(holes as Value)).toThrow('undefined cannot be encoded')
  })
})

/** What a value is after it has travelled: minus zero is zero. */
const normal = (value: Value): Value =>
  typeof value === 'number'
    ? value + 0 || value || 0
    : Array.isArray(value)
      ? value.map(normal)
      : value !== null && typeof value === 'object' && !(value instanceof Uint8Array)
        ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, normal(each)]))
        : value

function attempt(bytes: Uint8Array): Value | undefined {
  try {
    return decodeCanonical(bytes)
  } catch (error) {
    if (error instanceof PeerplaneError) return undefined
    throw error
  }
}

/** By the other implementation: decoded leniently and written again, nothing changes. */
function isCanonical(bytes: Uint8Array): boolean {
  try {
    const value = decode(bytes, {
      allowUndefined: false,
      allowNaN: false,
      allowInfinity: false,
      allowBigInt: false,
    }) as Value
    return compareBytes(other(value), bytes) === 0
  } catch {
    return false
  }
}
