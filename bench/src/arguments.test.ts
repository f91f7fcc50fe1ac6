import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { describe, expect, it } from 'vitest'

interface Ended {
  readonly code: number
  readonly output: string
  readonly errors: string
}

/** Runs a command of this folder, as npm does. */
function run(file: string, ...args: readonly string[]): Promise<Ended> {
  const program = fileURLToPath(new URL(file, import.meta.url))
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--conditions=@peerplane/source', program, ...args],
      (error, output, errors) => {
        resolve({ code: error ? Number(error.code) : 0, output, errors })
      },
    )
  })
}

const commands = [
  { name: 'npm run attack', file: 'attack.ts', args: [] },
  { name: 'npm run corrupt', file: 'corrupt.ts', args: [] },
  { name: 'npm run crash', file: 'crash.ts', args: [] },
  { name: 'npm run sim', file: 'sim.ts', args: [] },
  { name: 'npm run bench -- rows', file: 'cli.ts', args: ['rows'] },
]

describe.each(commands)('$name', ({ name, file, args }) => {
  it('says how it is used, and what it does not know', { timeout: 60_000 }, async () => {
    const [help, unknown] = await Promise.all([
      run(file, ...args, '--help'),
      run(file, ...args, '--nonsense'),
    ])
    expect(help).toMatchObject({ code: 0, output: expect.stringContaining(`usage: ${name}`) })
    expect(unknown).toMatchObject({ code: 2, output: '' })
    expect(unknown.errors).toMatch(/^Unknown option '--nonsense'/)
    expect(unknown.errors).toContain(`usage: ${name}`)
  })
})
