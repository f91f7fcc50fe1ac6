import { perturbations } from '@peerplane/core'
import { expect, test } from 'vitest'

import { printTotals, refusalsOf, totalsOf } from './print.ts'

const ways = new Map<string, number>(perturbations.map((point) => [point, 1]))
const fine = { runs: 300, commits: 30_000, overtook: 1, perturbed: ways }

test('a campaign that tested what it should is not refused', () => {
  expect(refusalsOf(fine)).toEqual([])
})

test('a campaign without runs or commits is refused', () => {
  expect(printTotals(totalsOf([]), 1)).toBe(false)
  expect(refusalsOf({ ...fine, runs: 0 })).toEqual(['nothing was run'])
  expect(refusalsOf({ ...fine, commits: 0 })).toEqual(['nothing was run'])
})

test('a campaign without a late cause is refused', () => {
  expect(refusalsOf({ ...fine, overtook: 0 })).toEqual([
    'nothing was ever reordered, so causal delivery was not tested',
  ])
})

test('a long campaign must have taken every rare way', () => {
  const perturbed = new Map(ways).set('no-push', 0)
  expect(refusalsOf({ ...fine, perturbed })).toEqual(['never taken: no-push'])
  expect(refusalsOf({ ...fine, runs: 299, perturbed })).toEqual([])
})
