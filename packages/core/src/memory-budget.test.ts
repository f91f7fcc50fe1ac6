import { expect, it } from 'vitest'

import { limits } from './limits.ts'
import { memoryBudget } from './memory-budget.ts'

it('the data that others can force a daemon to keep never exceeds its memory budget', () => {
  const sum = memoryBudget.reduce((total, { bytes }) => total + bytes, 0)
  expect(sum).toBeLessThanOrEqual(limits.daemonMemoryBytes)
  // The figure says something only if it is not far from the sum.
  expect(sum).toBeGreaterThan(0.9 * limits.daemonMemoryBytes)
  for (const { bytes } of memoryBudget) expect(bytes).toBeGreaterThan(0)
})
