import { expect, it } from 'vitest'

import { nearest } from './nearest.ts'

it.each([
  ['prot', 'port'],
  ['tcpport', 'tcpPort'],
  ['datta', 'data'],
  ['port', 'port'],
  ['anchr', 'anchor'],
  ['prto', 'port'],
])('finds that %j is meant to be %j', (word, meant) => {
  expect(nearest(word, ['anchor', 'data', 'port', 'tcpPort'])).toBe(meant)
})

it.each(['', 'x', 'no', 'frobnicate', 'dot', 'porcelain'])('takes %j for no slip', (word) => {
  expect(nearest(word, ['anchor', 'data', 'port', 'invite'])).toBeUndefined()
})

it('knows no nearest of nothing', () => {
  expect(nearest('word', [])).toBeUndefined()
})
