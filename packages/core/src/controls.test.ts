import { expect, test } from 'vitest'

import { codeOf } from './errors.ts'
import { checkName } from './entity/entity.ts'
import { hasControls, mayName } from './controls.ts'

/** R-SECTION-2 of the protocol, from the first to the last code point of each range. */
const FORBIDDEN = [
  // Unicode category Cc.
  [0x00, 0x1f],
  [0x7f, 0x9f],
  // Line separators.
  [0x2028, 0x2029],
  // Bidirectional controls.
  [0x061c, 0x061c],
  [0x200e, 0x200f],
  [0x202a, 0x202e],
  [0x2066, 0x2069],
] as const

const isForbidden = (code: number): boolean =>
  FORBIDDEN.some(([first, last]) => first <= code && code <= last)

test('of all code points, exactly those that the protocol lists make a name void, at the beginning, within and at the end', () => {
  const wrong: number[] = []
  for (let code = 0; code <= 0x10ffff; code++) {
    const text = String.fromCodePoint(code)
    const found = [text, `${text}a`, `a${text}a`, `a${text}`].map(hasControls)
    if (found.some((each) => each !== isForbidden(code))) wrong.push(code)
  }
  expect(wrong).toEqual([])
})

test('a name has no part that leads elsewhere in a path, with slashes of both kinds', () => {
  const forbidden = ['.', '..', '../../a', 'a/..', 'a/./b', '..\\a', 'a\\..\\b', '/..', '../']
  expect(forbidden.filter(mayName)).toEqual([])
  expect(forbidden.filter((name) => mayName(`type/${name}`))).toEqual([])
  const valid = ['...', '..a', 'a..', 'a.b/c', '.a/b.', 'a//b', '/', '\\']
  expect(valid.filter((name) => !mayName(name) || !mayName(`type/${name}`))).toEqual([])
})

test('a command refuses an id exactly if a change of an entity with that id would be void', () => {
  const refusal = (name: string): string | undefined => {
    try {
      checkName(name, 'an id')
      return undefined
    } catch (error) {
      return codeOf(error)
    }
  }
  const wrong: number[] = []
  for (let code = 0; code <= 0xffff; code++) {
    const name = `a${String.fromCodePoint(code)}`
    const expected = mayName(`type/${name}`) ? undefined : 'invalid-input'
    if (name.isWellFormed() && refusal(name) !== expected) wrong.push(code)
  }
  expect(wrong).toEqual([])
})
