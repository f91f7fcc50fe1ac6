import { perturbations } from '@peerplane/core'
import type { RunReport } from '@peerplane/testing/campaign'
import { expect, test, vi } from 'vitest'

import { printRun, printTotals, refusalsOf, replayText, totalsOf } from './print.ts'

const ways = new Map<string, number>(perturbations.map((point) => [point, 1]))
const fine = { runs: 100, commits: 10_000, overtook: 1, perturbed: ways }

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
  expect(refusalsOf({ ...fine, runs: 99, perturbed })).toEqual([])
})

const broken: RunReport = {
  seed: 17,
  devices: 3,
  workload: { commands: 1, acknowledged: 1, failed: 0, retries: 0, atomic: 0, sessions: 1 },
  faults: {},
  overtook: 0,
  forks: 0,
  mostWaiting: 0,
  perturbed: {},
  webCrypto: false,
  frames: 0,
  bytes: 0,
  virtualMs: 0,
  convergedMs: 0,
  events: 0,
  digest: '',
  violations: [{ rule: 'state', where: 'd0', what: 'it is wrong' }],
}

/** What is printed of a run. */
function printed(...run: Parameters<typeof printRun>): string {
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  printRun(...run)
  const lines = log.mock.calls.flat()
  log.mockRestore()
  return lines.join('\n')
}

test('a run that broke a rule says how to do just that run again', () => {
  const everything = { scenario: 'everything' } as const
  const storage = { scenario: 'storage', sabotage: 'skip-flush' } as const
  const replay = 'replay: npm run sim -- --shrink'
  expect(printed(broken, everything)).toMatch(new RegExp(`${replay} --seed 17$`))
  expect(printed(broken, storage)).toMatch(
    new RegExp(`${replay} --seed 17 --scenario storage --sabotage skip-flush$`),
  )
  // A plan says all itself, but for the bug.
  expect(printed(broken, { ...storage, plan: 'a.json' })).toMatch(
    new RegExp(`${replay} --plan a.json --sabotage skip-flush$`),
  )
  expect(printed({ ...broken, violations: [] }, storage)).not.toContain('replay')
})

test('what was not made small is not when it is done again', () => {
  const run = { seed: 17, scenario: 'calm', sabotage: 'no-deps' } as const
  expect(replayText(run)).toBe(
    'npm run sim -- --story --seed 17 --scenario calm --sabotage no-deps',
  )
  expect(replayText({ ...run, plan: 'a.json' })).toBe(
    'npm run sim -- --plan a.json --sabotage no-deps',
  )
})
