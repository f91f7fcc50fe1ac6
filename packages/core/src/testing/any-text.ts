import fc from 'fast-check'

import { limits } from '../limits.ts'
import { mayName } from '../controls.ts'
import { utf8 } from '../text.ts'

/**
 * Pieces of texts that something on the way may drop, replace, join or order in another way: marks and controls, characters in two
 * normal forms, those beyond 16 bits, those that come before them as UTF-16 units and after them as code points.
 */
const pieces =
  'a b ~ / \0 \u0001 \uFEFF \uFFFF \uFFFD \uFF21 \uD7FF \u00E9 e\u0301 \u2028 \u202E 👍 👎 \u{10000} \u{10FFFF} __proto__'.split(
    ' ',
  )

/** Well-formed texts that are easily damaged. */
export const anyText: fc.Arbitrary<string> = fc
  .array(fc.constantFrom(...pieces), { maxLength: 4 })
  .map((parts) => parts.join(''))

/** The same without what a name must not have. */
export const anyName: fc.Arbitrary<string> = anyText.filter(mayName)

/** The same as ids of entities, some of them as long as an id may be. */
export const anyId: fc.Arbitrary<string> = fc
  .tuple(
    anyName.filter((text) => text !== ''),
    fc.nat(9),
  )
  .map(([text, chance]) =>
    chance > 0 ? text : text + 'x'.repeat(limits.entityNameBytes - utf8(text).length),
  )

/** Texts with half of a surrogate pair. */
export const brokenText: fc.Arbitrary<string> = fc
  .tuple(anyText, fc.constantFrom('\uD83D', '\uDC4D'), anyText)
  .map(([before, half, after]) => before + half + after)
  .filter((text) => !text.isWellFormed())
