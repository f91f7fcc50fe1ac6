import { anyText } from '@peerplane/core/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { diffTexts, type Hunk } from './text-diff.ts'

const apply = (before: string, hunks: readonly Hunk[]): string =>
  hunks.reduce(
    (text, { at, remove, text: inserted }) =>
      text.slice(0, at) + inserted + text.slice(at + remove),
    before,
  )

const words = fc
  .array(
    fc.constantFrom('one', 'two', 'three', ' ', ' ', '\n', '👍', '👎', '.', 'é', '\u0301', 'x'),
    {
      maxLength: 40,
    },
  )
  .map((parts) => parts.join(''))

test('the hunks make one text of the other, with whole characters only', () => {
  fc.assert(
    fc.property(fc.oneof(words, anyText), fc.oneof(words, anyText), (before, after) => {
      const hunks = diffTexts(before, after)
      let until = before.length
      for (const { at, remove, text } of hunks) {
        expect(at + remove).toBeLessThanOrEqual(until)
        expect(text.isWellFormed()).toBe(true)
        expect(before.slice(at, at + remove).isWellFormed()).toBe(true)
        expect(remove + text.length).toBeGreaterThan(0)
        until = at
      }
      expect(apply(before, hunks)).toBe(after)
    }),
    { numRuns: 2_000 },
  )
})

test('one splice is found as no more than itself', () => {
  fc.assert(
    fc.property(words, fc.nat(), fc.nat(9), words, (before, where, count, text) => {
      const at = where % (before.length + 1)
      const after = before.slice(0, at) + text + before.slice(at + count)
      if (!after.isWellFormed()) return
      const changed = diffTexts(before, after).reduce(
        (sum, hunk) => sum + hunk.remove + hunk.text.length,
        0,
      )
      // A pair may be exchanged for another one as a whole.
      expect(changed).toBeLessThanOrEqual(Math.min(count, before.length - at) + text.length + 4)
    }),
    { numRuns: 1_000 },
  )
})

test('what stands between two changes stays', () => {
  expect(diffTexts('The cat sat on the mat.', 'A cat sat on a big mat!')).toEqual([
    { at: 22, remove: 1, text: '!' },
    { at: 19, remove: 0, text: 'big ' },
    { at: 15, remove: 3, text: 'a' },
    { at: 0, remove: 3, text: 'A' },
  ])
  expect(diffTexts('colour of colours', 'color of colors')).toEqual([
    { at: 14, remove: 1, text: '' },
    { at: 4, remove: 1, text: '' },
  ])
})

test('texts without anything in common cost no more than a splice of the whole', () => {
  const text = (seed: string): string =>
    Array.from({ length: 100_000 }, (_, i) => `${seed}${(i * 7919) % 1009}`).join(' ')
  const [before, after] = [text('a'), text('b')]
  const start = performance.now()
  const hunks = diffTexts(before, after)
  expect(performance.now() - start).toBeLessThan(1_000)
  expect(hunks).toHaveLength(1)
  expect(apply(before, hunks)).toBe(after)
})
