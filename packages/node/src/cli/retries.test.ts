import { mkdtempSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'

import { retryContract } from '@peerplane/core/testing'
import { openAlone } from '@peerplane/runtime/testing'
import { afterEach, beforeEach, vi } from 'vitest'

import { serveControl } from '../control.ts'
import { planeFiles } from '../directory.ts'
import { main } from './main.ts'

let data: string

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'peerplane-'))
  for (const name of ['log', 'error'] as const) vi.spyOn(console, name).mockReturnValue()
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(data, { recursive: true })
})

for (const command of ['invite', 'status']) {
  retryContract(`peerplane ${command}`, { by: 'others' }, async ({ attempt }) => {
    const { control } = planeFiles(data, 'default')
    await mkdir(dirname(control), { recursive: true })
    const backend = await openAlone([])
    const describe = async () => {
      attempt()
      return { name: 'default', page: undefined }
    }
    const server = await serveControl(control, { ...backend, describe }, backend)
    const run = (): Promise<number> => main([command, '--data', data])
    let ended: Promise<unknown> = Promise.resolve()
    let reads = 0
    return {
      // Until the command has ended; each attempt is at another time.
      time: {
        get ms() {
          return 1_000 * reads++
        },
        pass: async () => void (await ended),
      },
      begin: () => {
        ended = run()
      },
      later: async () => {
        ended = run()
        if ((await ended) !== 0) throw new Error('it failed')
      },
      close: async () => {
        await server.stop()
        await backend.close()
      },
    }
  })
}
