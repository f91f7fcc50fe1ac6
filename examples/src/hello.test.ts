import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { afterAll, expect, it } from 'vitest'

const directory = mkdtempSync(join(tmpdir(), 'hello-'))
afterAll(() => rmSync(directory, { recursive: true }))

it('counts a vote in Node', async () => {
  const program = fileURLToPath(new URL('hello.ts', import.meta.url))
  const child = spawn(process.execPath, ['--conditions=@peerplane/source', program], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const printed: string[] = []
  for await (const line of createInterface(child.stdout)) {
    printed.push(line)
    // It would stay online.
    if (line === '1') child.kill()
  }
  await ended
  expect(printed).toEqual(['0', '1'])
})
