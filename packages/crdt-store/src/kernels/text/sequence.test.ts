import fc from 'fast-check'
import { expect, test } from 'vitest'

import { Piece, Sequence } from './sequence.ts'

test('a sequence is the list of its items', () => {
  const step = fc.record({
    at: fc.nat(),
    what: fc.constantFrom('after', 'before', 'remove', 'show'),
  })
  fc.assert(
    fc.property(fc.array(step, { minLength: 300, maxLength: 400 }), (steps) => {
      const first = new Piece()
      const [sequence, items] = [new Sequence(first), [first]]
      for (const [n, { at, what }] of steps.entries()) {
        const place = at % items.length
        const item = items[place]!
        const added = new Piece()
        added.shown = n % 3 === 0 ? '' : `${n},`
        if (what === 'show') sequence.show(item, `${n};`)
        else if (what === 'after') {
          sequence.insertAfter(item, added)
          items.splice(place + 1, 0, added)
        } else if (what === 'before' || n % 3 > 0 || items.length === 1) {
          sequence.insertBefore(item, added)
          items.splice(place, 0, added)
        } else {
          sequence.remove(item)
          items.splice(place, 1)
        }
      }
      const shown = items.map((item) => item.shown).join('')
      expect([sequence.shown, sequence.width]).toEqual([shown, shown.length])
      expect([...sequence.from(items[0]!)]).toEqual(items)
      let index = 0
      for (const [i, item] of items.entries()) {
        expect(sequence.indexOf(item)).toBe(index)
        expect(sequence.next(item)).toBe(items[i + 1])
        const { length } = item.shown
        const at = length > 0 ? sequence.at(index + length - 1) : undefined
        expect(at).toEqual(length > 0 ? { item, offset: length - 1 } : undefined)
        index += length
      }
    }),
    { numRuns: 20 },
  )
})
