import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

const command = fileURLToPath(new URL('corrupt.ts', import.meta.url))

/** Runs the command that `npm run corrupt` runs. */
function corrupt(...args: string[]): Promise<{ code: number; output: string; errors: string }> {
  return new Promise((resolve) => {
    const all = ['--conditions=@peerplane/source', command, ...args]
    execFile(process.execPath, all, (error, output, errors) => {
      resolve({ code: error ? Number(error.code) : 0, output, errors })
    })
  })
}

interface Report {
  readonly verdicts: Readonly<Record<string, number>>
  readonly byTarget: Readonly<Record<string, Readonly<Record<string, number>>>>
}

test.each([[''], ['--large']])(
  'a damaged store gives right answers or errors: %o',
  { timeout: 120_000 },
  async (large) => {
    const numbers = ['--flips', '20', '--truncations', '10', '--deletions', '15']
    const { code, output, errors } = await corrupt(...numbers, ...(large ? [large] : []))
    expect(errors).toBe('0 wrong answers, 0 failures; there must be none\n')
    const { verdicts, byTarget } = JSON.parse(output) as Report
    expect(Object.values(verdicts).reduce((sum, count) => sum + count, 0)).toBe(45)
    // Something was rebuilt, and something was refused.
    expect(verdicts).toMatchObject({ right: expect.any(Number), refused: expect.any(Number) })
    expect(Object.keys(byTarget).length).toBeGreaterThan(10)
    expect(code).toBe(0)
  },
)

test.each([
  ['checksums', ['--deletions', '0'], /^wrong: bit \d of byte \d+/m],
  ['counts', ['--flips', '0'], /^wrong: \d+ pairs from [0-9a-f]+ on/m],
] as const)(
  'a damaged store without checks gives a wrong answer, and `npm run corrupt` finds this answer: without %s',
  { timeout: 120_000 },
  async (what, args, found) => {
    const { code, errors } = await corrupt(`--without-${what}`, '--truncations', '0', ...args)
    expect(errors).toMatch(found)
    expect(errors).toContain(`without ${what}: a wrong answer; there must be one`)
    expect(code).toBe(0)
  },
)
