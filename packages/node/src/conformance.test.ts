import { spawn } from 'node:child_process'
import { execPath } from 'node:process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

import { expect, it } from 'vitest'

import type { Verdict } from './conformance/verdicts.ts'
import { folderForEach, inFolder, run, up } from './daemon.fixture.test.ts'

folderForEach()

const program = fileURLToPath(import.meta.resolve('./cli.ts'))

/** Runs the command while the daemon works. */
async function conformance(
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(
    execPath,
    ['--conditions=@peerplane/source', program, 'conformance', ...args],
    {
      cwd: inFolder(),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 75_000,
    },
  )
  const code = new Promise<number>((resolve) => child.on('close', (given) => resolve(given ?? -1)))
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: await code, stdout, stderr }
}

it(
  'a daemon keeps every rule that is checked, and can be used afterwards',
  { timeout: 90_000 },
  async () => {
    const { child } = await up('--anchor')
    const invitation = run(['invite']).stdout.trim()
    const { code, stdout } = await conformance('--invitation', invitation, '--json')
    const { rules } = JSON.parse(stdout) as { readonly rules: readonly Verdict[] }
    expect(rules.filter(({ result }) => result !== 'ok')).toEqual([])
    expect(code).toBe(0)
    const again = await conformance('--invitation', invitation, '--only', 'R-PEERS-2')
    expect(again).toMatchObject({ code: 0 })
    expect(again.stdout).toContain('no rule is broken')
    expect(child.exitCode).toBe(null)
  },
)

it('the error names a peer that does not answer', { timeout: 30_000 }, async () => {
  await up('--anchor')
  const invitation = run(['invite']).stdout.trim()
  const { code, stderr } = await conformance('/ip4/127.0.0.1/tcp/1', '--invitation', invitation)
  expect(stderr).toContain('unreachable: /ip4/127.0.0.1/tcp/1')
  expect(code).toBe(1)
})
