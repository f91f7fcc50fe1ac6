import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { test } from '@playwright/test'

import { startDaemon, type TestDaemon, type TestPorts } from './daemon.ts'

/** Gives each test of a file an anchor with a folder and ports of its own. */
export function daemonForEach(): Pick<TestDaemon, 'link' | 'kill'> & { start(): Promise<void> } {
  let data: string
  let running: TestDaemon
  const start = async (ports: TestPorts): Promise<void> => {
    running = await startDaemon(data, ports)
  }
  const kill = (): Promise<void> => running.kill()
  test.beforeEach(async () => {
    data = mkdtempSync(join(tmpdir(), 'peerplane-e2e-'))
    await start({ port: 0, httpPort: 0 })
  })
  test.afterEach(async () => {
    await kill()
    rmSync(data, { recursive: true, force: true })
  })
  return {
    get link() {
      return running.link
    },
    kill,
    /** The same anchor, after it was killed. */
    start: () => start(running.ports),
  }
}
