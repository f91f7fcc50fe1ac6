import { readdirSync, readFileSync } from 'node:fs'

import { expect, test } from 'vitest'

import { runPlan } from '../campaign/run.ts'
import type { Regression } from './regression.ts'

const read = (file: string): Regression =>
  JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as Regression
const files = readdirSync(new URL('.', import.meta.url)).filter((name) => name.endsWith('.json'))

test('there are regressions, each with its reason and small', () => {
  expect(files.length).toBeGreaterThan(0)
  for (const file of files) {
    const { because, plan } = read(file)
    expect(because).toMatch(/^[A-Z].*\.$/)
    expect(plan.steps.length).toBeLessThanOrEqual(20)
  }
})

test.each(files)('%s breaks no rule', { timeout: 60_000 }, async (file) => {
  expect((await runPlan(read(file).plan)).violations).toEqual([])
})
