import { encodeCanonical, limits, type Json } from '@peerplane/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { copyJson } from '../kernels/values.ts'
import { SettledValues } from './settled-values.ts'

/** What comes out, with the order of all keys; or the code of the error. */
function outcome(take: () => Json): unknown {
  try {
    const taken = take()
    return JSON.stringify(taken)
  } catch (error) {
    return (error as { readonly code?: string }).code
  }
}

const key = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 3 }),
  fc.constantFrom('10', '9', '__proto__', 'é', 'zz'),
)
const anyValue = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.oneof<fc.Arbitrary<unknown>[]>(
      fc.constantFrom(
        null,
        true,
        0,
        -0,
        23,
        24,
        -25,
        65_536,
        2 ** 53,
        0.5,
        0.1,
        'x',
        'é'.repeat(30),
        '\ud800',
      ),
      fc.constantFrom<unknown>(undefined, Number.NaN, 1n, new Date(0), () => 1),
      fc.double(),
      fc.string({ unit: 'grapheme' }),
    ),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5 }),
  ),
})).value

test('values are taken as they are copied elsewhere, whatever was taken before', () => {
  fc.assert(
    fc.property(
      fc.array(anyValue, { minLength: 1, maxLength: 6 }),
      fc.infiniteStream(fc.nat()),
      (values, choices) => {
        const settled = new SettledValues()
        const before: unknown[] = []
        for (const fresh of values) {
          const old = before.length > 0 ? before[choices.next().value! % before.length] : null
          // As functions do that fold events: parts of what was taken before, and something new.
          for (const value of [fresh, [fresh, old], { a: old, fresh, ...(old as object) }]) {
            const expected = outcome(() => copyJson(value))
            expect(outcome(() => settled.take(value))).toBe(expected)
            if (expected !== 'invalid-input' && expected !== 'too-large')
              before.push(settled.take(value))
          }
        }
      },
    ),
    { numRuns: 1000 },
  )
})

test('a part that was taken before is not copied again; all is frozen', () => {
  const settled = new SettledValues()
  const first = settled.take({ large: { a: [1, { b: 2 }] }, n: 1 }) as { large: object; n: number }
  const next = settled.take({ ...first, n: 2 }) as typeof first
  expect(next.large).toBe(first.large)
  expect(settled.take(next)).toBe(next)
  const parts = [
    first,
    first.large,
    (first.large as { a: unknown[] }).a,
    (first.large as { a: unknown[] }).a[1],
  ]
  expect(parts.every((part) => Object.isFrozen(part))).toBe(true)
})

test.each([
  ['bytes', (n: number) => 'x'.repeat(n - 3), limits.valueBytes, 'too-large'],
  [
    'levels',
    (n: number) => Array.from({ length: n }).reduce<Json>((inner) => [inner], 1),
    limits.valueDepth,
    'invalid-input',
  ],
] as const)('the limit of %s is the one of all values', (_, make, most, code) => {
  const settled = new SettledValues()
  expect(settled.take(make(most))).toEqual(make(most))
  expect(outcome(() => settled.take(make(most + 1)))).toBe(code)
  const known = settled.take(make(most))
  expect(outcome(() => settled.take([known]))).toBe(code)
  expect(encodeCanonical(make(limits.valueDepth)).length).toBeGreaterThan(0)
})

test('a value that contains itself is refused', () => {
  const value: unknown[] = []
  value.push(value)
  expect(outcome(() => new SettledValues().take(value))).toBe('invalid-input')
})
