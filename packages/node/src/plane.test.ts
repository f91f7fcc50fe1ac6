import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { planeContract } from '@peerplane/runtime/testing'
import { afterAll } from 'vitest'

import { open } from './index.ts'

const data = mkdtempSync(join(tmpdir(), 'peerplane-'))
let spaces = 0
afterAll(() => rmSync(data, { recursive: true }))

planeContract('a program in Node', (entities, onError) =>
  open({ entities, data, space: `plane ${(spaces += 1)}`, network: false, onError }),
)
