import fc from 'fast-check'
import { expect, test } from 'vitest'

import {
  fromBytesValue,
  isBytesValue,
  jsonToValue,
  toBytesValue,
  valueToJson,
} from './bytes-value.ts'
import type { Json } from './json.ts'
import type { Value } from './value.ts'

test('bytes have a form of JSON and come back', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const value = toBytesValue(bytes)
      expect(fromBytesValue(JSON.parse(JSON.stringify(value)) as never)).toEqual(bytes)
      expect(isBytesValue(value)).toBe(true)
    }),
  )
})

test('every JSON value has one form in commits, and a map in the form of bytes is refused', () => {
  const bytes = fc.uint8Array({ maxLength: 4 })
  const form = fc.oneof(
    bytes.map(toBytesValue),
    fc.record({ $bytes: fc.constantFrom<Json>('AA', 'AB', 'A', '', '=', 1) }),
    fc.record({ $bytes: fc.constant('AA'), more: fc.constant(1) }),
  )
  const { json } = fc.letrec<{ json: Json }>((tie) => ({
    json: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(fc.constantFrom<Json>(null, true, 1, 'x'), form),
      fc.array(tie('json'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', '__proto__', '$bytes'), tie('json')),
    ),
  }))
  fc.assert(
    fc.property(json, (value) => {
      const plain = JSON.parse(JSON.stringify(value)) as Json
      expect(valueToJson(jsonToValue(plain))).toEqual(plain)
    }),
  )
  const refused: readonly Value[] = [
    { $bytes: '' },
    [{ $bytes: 'AA' }],
    { a: [Uint8Array.of(1), { b: { $bytes: 'AP8' } }] },
  ]
  for (const value of refused) expect(valueToJson(value)).toBeUndefined()
  expect(valueToJson({ a: [Uint8Array.of(1)] })).toEqual({ a: [{ $bytes: 'AQ' }] })
})

test('anything but bytes, and anything but their form, is refused', () => {
  const given = [undefined, null, 'AA', [1], {}, { $bytes: 'A' }, { $bytes: 'AA', more: 1 }]
  for (const each of given) {
    expect(() => fromBytesValue(each as never)).toThrow('not the form of bytes')
    expect(() => toBytesValue(each as never)).toThrow('not a Uint8Array')
  }
})
