import { readFileSync } from 'node:fs'

import { expect, it, test } from 'vitest'

import { faults } from './conformance/faults.ts'
import { brokenBy } from './conformance/world.ts'

const packages = new URL('../../packages/', import.meta.url)

test.for(faults)('$name can be planted', ({ changes }) => {
  for (const { file, find, replace } of changes) {
    const source = readFileSync(new URL(file, packages), 'utf8')
    expect(source.split(find), `${file} reads: ${find}`).toHaveLength(2)
    expect(replace).not.toBe(find)
  }
})

test('there are at least 20 faults, each with a name and, but for a few, a rule of its own', () => {
  expect(faults.length).toBeGreaterThanOrEqual(20)
  expect(new Set(faults.map(({ name }) => name)).size).toBe(faults.length)
  expect(new Set(faults.map(({ rule }) => rule)).size).toBeGreaterThanOrEqual(20)
})

// All of them: npm run conformance-faults
it.each(['any-digest', 'no-unknown-kinds', 'other-digests'])(
  'a daemon with a fault is named by the rule that it breaks: %s',
  { timeout: 60_000 },
  async (name) => {
    const { rule } = faults.find((each) => each.name === name)!
    expect(await brokenBy(name, rule)).toContainEqual(expect.objectContaining({ rule }))
  },
)
