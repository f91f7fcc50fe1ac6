import { expect, test } from 'vitest'

import { leastWork, runSeed } from './run.ts'

test('the same seed is the same run, twenty times over', { timeout: 300_000 }, async () => {
  const first = await runSeed(3)
  expect(first.violations).toEqual([])
  for (let again = 0; again < 20; again++) {
    const { trace, events, workload, faults } = await runSeed(3)
    expect({ trace, events, workload, faults }).toEqual({
      trace: first.trace,
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
  const traces = [await runSeed(1), await runSeed(2)].map(({ trace }) => trace)
  expect(new Set(traces).size).toBe(2)
})
