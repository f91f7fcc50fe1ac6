import fc from 'fast-check'
import { expect, test } from 'vitest'

import { ShownKeys } from './shown-keys.ts'

test('the keys in their order are those that are shown, whatever came and went in between', () => {
  const step = fc.record({ key: fc.nat(20), isShown: fc.boolean(), looks: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const keys = new ShownKeys<number>((a, b) => a - b)
      const shown = new Set<number>()
      const look = (): void =>
        expect(keys.list((key) => shown.has(key))).toEqual([...shown].toSorted((a, b) => a - b))
      for (const { key, isShown, looks } of steps) {
        if (isShown) shown.add(key)
        else shown.delete(key)
        keys.changed(key)
        if (looks) look()
      }
      look()
    }),
  )
})

test('a change of a few keys of a large map compares only a few keys', () => {
  let compared = 0
  const many = Array.from({ length: 100_000 }, (_, i) => 2 * i)
  const keys = new ShownKeys<number>((a, b) => {
    compared++
    return a - b
  }, many)
  expect(keys.list(() => true)).toEqual(many)
  compared = 0
  for (let i = 0; i < 100; i++) keys.changed(2_000 * i + 1)
  expect(keys.list(() => true)).toHaveLength(many.length + 100)
  expect(compared).toBeLessThan(100 * 30)
})
