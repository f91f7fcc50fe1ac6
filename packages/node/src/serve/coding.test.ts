import { processorTime } from '@peerplane/core/testing'
import { expect, it } from 'vitest'

import { acceptedCodings, namesTag } from './coding.ts'

it.each([
  [undefined, ['identity']],
  ['', ['identity']],
  ['gzip, deflate, br, zstd', ['br', 'gzip', 'identity']],
  ['gzip', ['gzip', 'identity']],
  ['GZIP;Q=0.5', ['gzip', 'identity']],
  ['x-gzip', ['gzip', 'identity']],
  ['br;q=0.2, gzip;q=0.8', ['gzip', 'br', 'identity']],
  ['br;q=0.5, gzip;q=0.5, identity;q=0.5', ['br', 'gzip', 'identity']],
  ['identity, gzip;q=0.9', ['identity', 'gzip']],
  ['br ; q=1.000 , gzip ; q=0', ['br', 'identity']],
  ['br;q=0.000', ['identity']],
  ['identity;q=0', []],
  ['gzip, identity;q=0', ['gzip']],
  ['*', ['br', 'gzip', 'identity']],
  ['*;q=0', []],
  ['gzip, *;q=0', ['gzip']],
  ['gzip;q=0, *', ['br', 'identity']],
  ['identity;q=0.5, *;q=0', ['identity']],
  // What cannot be read counts for nothing.
  ['br;q=2, gzip;q=-1, zstd', ['identity']],
  ['br;q=, gzip;level=9, ;, ,,', ['identity']],
  ['brotli, gzipped', ['identity']],
])(
  'an Accept-Encoding header is read as a list of encodings, the best first: %j, %j',
  (header, codings) => {
    expect(acceptedCodings(header)).toEqual(codings)
  },
)

it('is quick about a hostile header', () => {
  const began = processorTime()
  for (const part of [',', ' ', 'a;q=0', ';q=0.'.repeat(9), `x${' '.repeat(50)}`]) {
    acceptedCodings(part.repeat(16_384 / part.length))
  }
  expect(processorTime() - began).toBeLessThan(1_000)
})

it.each([
  [undefined, false],
  ['"a"', true],
  ['W/"a"', true],
  ['"b", W/"a" ,"c"', true],
  ['*', true],
  ['"b"', false],
  ['a', false],
])('finds a tag in %j: %j', (header, found) => {
  expect(namesTag(header, '"a"')).toBe(found)
})
