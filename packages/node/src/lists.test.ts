import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { listsContract } from '@peerplane/core/testing'
import { afterAll } from 'vitest'

import { open } from './index.ts'

const data = mkdtempSync(join(tmpdir(), 'peerplane-'))
afterAll(() => rmSync(data, { recursive: true }))
let spaces = 0

listsContract('Node', async (entities) => {
  const space = `lists-${(spaces += 1)}`
  const here = () => open({ entities, data, space, network: false })
  return { plane: await here(), reopen: here }
})
