import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

const command = fileURLToPath(new URL('sim.ts', import.meta.url))

/** Runs the command that `npm run sim` runs. */
function sim(...args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const options = { maxBuffer: 64 * 1024 * 1024 }
    execFile(
      process.execPath,
      ['--conditions=@peerplane/source', command, ...args],
      options,
      (error, stdout, stderr) => {
        resolve({
          code: typeof error?.code === 'number' ? error.code : error ? -1 : 0,
          output: stdout + stderr,
        })
      },
    )
  })
}

test('100 seeds break no rule', { timeout: 300_000 }, async () => {
  const { code, output } = await sim('--seeds', '100', '--quiet')
  expect(output).toContain('100, 0 with a violation')
  expect(code).toBe(0)
})

test('another process gives the same digests', { timeout: 120_000 }, async () => {
  const digests = async () =>
    (await sim('--seeds', '4', '--seed', '40')).output.match(/seed \d+:.*digest \w+/g)!.sort()
  const [once, twice] = [await digests(), await digests()]
  expect(once).toHaveLength(4)
  expect(once).toEqual(twice)
})

test('the campaign finds what is planted', { timeout: 300_000 }, async () => {
  const names =
    'ignore-dependencies,no-anti-entropy,resume-session,sessions-only-digest,clock-register,drop-commit'
  const { code, output } = await sim('--sabotage', names, '--seeds', '500')
  expect(output).not.toContain('survived')
  expect(output).not.toContain('exception')
  expect(code).toBe(0)
})

test('a wrong call says how to call it', { timeout: 60_000 }, async () => {
  expect((await sim('--seeds', 'many')).code).toBe(2)
  expect((await sim('--sabotage', 'unheard-of')).code).toBe(2)
})

test.for([
  ['a campaign', ['--seeds', '100000']],
  ['a story', ['--story', '--seed', '2']],
] as const)('%s that nobody reads ends quietly', { timeout: 60_000 }, async ([, args]) => {
  const child = spawn(process.execPath, ['--conditions=@peerplane/source', command, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 40_000,
  })
  child.stdout.destroy()
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
  expect(said).toBe('')
  expect(code).toBe(141)
})
