import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { Regression } from '@peerplane/testing/campaign'
import { afterAll, expect, test } from 'vitest'

const command = fileURLToPath(new URL('../sim.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'peerplane-sim-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Runs the command that `npm run sim` runs. */
function sim(...args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--conditions=@peerplane/source', command, ...args],
      (error, out, err) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, output: out + err })
      },
    )
  })
}

test(
  'a planted bug is shown in ten steps or less, told, reported and kept',
  { timeout: 180_000 },
  async () => {
    const [plan, page] = [join(folder, 'plan.json'), join(folder, 'run.html')]
    const bug = ['--sabotage', 'ignore-dependencies']
    // Whichever seed shows it.
    const table = await sim(...bug, '--seeds', '100', '--workers', '1')
    const seed = /causality \| (\d+) \|/.exec(table.output)![1]!
    const files = ['--save', plan, '--report', page]
    const { code, output } = await sim('--seed', seed, ...bug, '--shrink', ...files)
    expect(code).toBe(1)
    expect(output).toContain('Broken rule: causality. Nobody sees an effect without its cause.')
    expect(output).toContain(`replay: npm run sim -- --plan ${plan} --sabotage ignore-dependencies`)
    const kept = JSON.parse(readFileSync(plan, 'utf8')) as Regression
    expect(kept.plan.steps.length).toBeLessThanOrEqual(10)
    expect(kept.rule).toBe('causality')
    expect(readFileSync(page, 'utf8')).toContain('A rule was broken: causality')

    // What is kept names its bug; the plan alone is harmless.
    expect((await sim('--plan', plan)).output).toContain('Broken rule: causality')
  },
)

test('with its bug every regression breaks its rule again', { timeout: 300_000 }, async () => {
  const { code, output } = await sim('--regressions')
  expect(output).not.toContain('**')
  expect(output).toContain('breaks causality')
  expect(code).toBe(0)
})

test('what is printed to replay a run does the same run', { timeout: 180_000 }, async () => {
  const bug = ['--scenario', 'calm', '--sabotage', 'largest-count']
  const { output } = await sim('--seed', '2', ...bug, '--story')
  const replay = /replay: npm run sim -- (.+)/.exec(output)![1]!
  const again = await sim(...replay.split(' '))
  const runs = [output, again.output].map((text) => /^seed 2: .+ digest \w+$/m.exec(text)?.[0])
  expect(runs[0]).toBeDefined()
  expect(runs[1]).toBe(runs[0])
})

test('a run that breaks nothing can be reported too', { timeout: 120_000 }, async () => {
  const page = join(folder, 'fine.html')
  const { code } = await sim('--seed', '2', '--report', page)
  expect(code).toBe(0)
  expect(readFileSync(page, 'utf8')).toContain('No rule was broken.')
})
