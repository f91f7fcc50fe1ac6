import { expect, test } from 'vitest'

import { performSeed, runPlan } from '../campaign/run.ts'

test('a plan that went through JSON does what its seed did', { timeout: 60_000 }, async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const { plan, report } = await performSeed(seed)
    const copy = JSON.parse(JSON.stringify(plan)) as typeof plan
    const again = await runPlan(copy)
    expect(again).toEqual(report)
  }
})

test('a plan without most of its parts still runs', { timeout: 60_000 }, async () => {
  const { plan } = await performSeed(6)
  const less = { ...plan, conditions: [], steps: plan.steps.filter((_, index) => index % 7 === 0) }
  const { violations, workload } = await runPlan(less)
  expect(violations).toEqual([])
  expect(workload.commands).toBeGreaterThan(5)
})
