import { expect, test } from 'vitest'

import { harmKinds } from '../hostile/harm-kinds.ts'
import { runSeed } from './run.ts'
import { leastWork, scenarios } from './scenarios.ts'

test('the same seed is the same run, five times over', { timeout: 300_000 }, async () => {
  const first = await runSeed(3)
  expect(first.violations).toEqual([])
  for (let again = 0; again < 5; again++) {
    const { digest, events, workload, faults } = await runSeed(3)
    expect({ digest, events, workload, faults }).toEqual({
      digest: first.digest,
      events: first.events,
      workload: first.workload,
      faults: first.faults,
    })
  }
})

test('every run does enough to be worth something', { timeout: 300_000 }, async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const { devices, workload, faults } = await runSeed(seed)
    expect(devices).toBeGreaterThanOrEqual(leastWork.devices)
    expect(workload.acknowledged).toBeGreaterThanOrEqual(leastWork.commits)
    const count = Object.values(faults).reduce((sum, each) => sum + each, 0)
    expect(count).toBeGreaterThanOrEqual(leastWork.faults)
  }
})

test('another seed is another run', { timeout: 300_000 }, async () => {
  const digests = [await runSeed(1), await runSeed(2)].map(({ digest }) => digest)
  expect(new Set(digests).size).toBe(2)
})

test.for(Object.entries(scenarios))(
  '%s: kinds of fault are those it says',
  async ([, scenario]) => {
    const { violations, faults } = await runSeed(7, { scenario })
    expect(violations).toEqual([])
    const kinds = [...scenario.faults, ...(scenario.hostile > 0 ? harmKinds : [])]
    expect(kinds).toEqual(expect.arrayContaining(Object.keys(faults)))
  },
)

test('a run with next to no work is refused', { timeout: 60_000 }, async () => {
  const rhythm = { workMs: 300_000, faultMs: 300_000, copyMs: 300_000 }
  const { violations } = await runSeed(1, { scenario: { ...scenarios.everything, rhythm } })
  expect(violations.map(({ rule }) => rule)).toContain('workload')
})

test('every hundredth seed signs in earnest', { timeout: 60_000 }, async () => {
  const [real, simulated] = [await runSeed(100), await runSeed(101)]
  expect([real.webCrypto, simulated.webCrypto]).toEqual([true, false])
  expect(real.violations).toEqual([])
  expect((await runSeed(100)).digest).toBe(real.digest)
})
