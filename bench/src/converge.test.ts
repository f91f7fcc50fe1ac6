import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { expect, test } from 'vitest'

const command = fileURLToPath(new URL('converge.ts', import.meta.url))

/** Runs the command that `npm run converge` runs. */
function converge(...args: string[]): Promise<{ code: number; output: string; errors: string }> {
  return new Promise((resolve) => {
    const all = ['--conditions=@peerplane/source', command, ...args]
    execFile(process.execPath, all, (error, output, errors) => {
      resolve({ code: error ? Number(error.code) : 0, output, errors })
    })
  })
}

test('a campaign counts the cases of each test', { timeout: 120_000 }, async () => {
  const { code, output, errors } = await converge('--cases=30', '--chunk=15', '--file=list/')
  expect(errors).toBe('')
  expect(output.match(/^ +30 +0 +\d+ {2}lists of replicas converge /gm)).toHaveLength(2)
  expect(code).toBe(0)
})
