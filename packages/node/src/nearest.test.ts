import { expect, it } from 'vitest'

import { nearest } from './nearest.ts'

it.each([
  ['prot', 'port'],
  ['tcpport', 'tcpPort'],
  ['datta', 'data'],
  ['port', 'port'],
  ['anchr', 'anchor'],
  ['', 'data'],
])('finds that %j is meant to be %j', (word, meant) => {
  expect(nearest(word, ['anchor', 'data', 'port', 'tcpPort'])).toBe(meant)
})

it('knows no nearest of nothing', () => {
  expect(nearest('word', [])).toBeUndefined()
})
