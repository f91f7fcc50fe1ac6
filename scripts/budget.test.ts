import { expect, test } from 'vitest'

import { budgetTable, judgeTime, slowSuites } from './budget.mjs'

const minute = 60_000
const row = (name: string, seconds: number, ms: number) =>
  ({ name, result: 'ok', seconds, ms }) as const

test('the table has each step with its share of fifteen minutes', () => {
  const table = budgetTable([row('lint', 45, 9_000), row('vitest', 480, 3 * minute)])
  const cells = table.split('\n').map((line) => line.trim().split(/\s{2,}|\s(?=\d)/))
  expect(cells.slice(2)).toEqual([
    ['lint', 'ok', '9.0', '45', '1.0 %'],
    ['vitest', 'ok', '180.0', '480', '20.0 %'],
    ['all', '189.0', '900', '21.0 %'],
  ])
})

test.each([
  { minutes: 11, ci: true, warned: false, failed: false },
  { minutes: 13, ci: true, warned: true, failed: false },
  { minutes: 16, ci: true, warned: true, failed: true },
  { minutes: 16, ci: false, warned: true, failed: false },
])('$minutes minutes, in CI: $ci', ({ minutes, ci, warned, failed }) => {
  const time = judgeTime([row('vitest', 3600, minutes * minute)], ci)
  expect(time.failed).toBe(failed)
  expect(time.warnings.length > 0).toBe(warned)
})

test('a step and a test file that take longer than they may are named', () => {
  expect(judgeTime([row('lint', 45, 50_000)], true)).toEqual({
    failed: false,
    warnings: ['warning: step lint took longer than the 45 s it may take'],
  })
  expect(slowSuites([{ file: 'a.test.ts', ms: 90_000 }])).toEqual([
    'warning: a.test.ts took 90 of at most 40 s',
  ])
  expect(slowSuites([{ file: 'bench/src/sim.test.ts', ms: 90_000 }])).toEqual([])
})
