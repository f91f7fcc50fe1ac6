import { globSync, readFileSync } from 'node:fs'

import { expect, test } from 'vitest'

import { traceEvents } from '../packages/core/src/index.ts'

const TABLE = 'packages/core/src/ports/trace.ts'

test('every event of the table is emitted somewhere in the product', () => {
  const sources = globSync('packages/{core,crdt-store,sync,runtime,node,browser}/src/**/*.ts')
  const text = sources
    .filter((file) => !file.endsWith('.test.ts') && file !== TABLE)
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n')
  expect(Object.keys(traceEvents).filter((name) => !text.includes(`'${name}'`))).toEqual([])
})
