import { readFileSync } from 'node:fs'

import { transformSync } from 'esbuild'
import { expect, test } from 'vitest'

import { tableRow, writtenRows } from './sabotage-table.ts'
import { sabotages } from './sabotages.ts'

const packages = new URL('../../../packages/', import.meta.url)

test.for(sabotages)('$name can be planted', ({ changes }) => {
  for (const { file, find, replace } of changes) {
    const source = readFileSync(new URL(file, packages), 'utf8')
    expect(source.split(find), `${file} reads: ${find}`).toHaveLength(2)
    expect(replace).not.toBe(find)
    // A bug that does not compile throws wherever it runs. Then the campaign finds the exception, and not the bug.
    transformSync(
      source.replace(find, () => replace),
      { loader: 'ts' },
    )
  }
})

test('there are at least 24, each with a name of its own', () => {
  expect(sabotages.length).toBeGreaterThanOrEqual(24)
  expect(new Set(sabotages.map(({ name }) => name)).size).toBe(sabotages.length)
})

test('the page says of each how it was found', () => {
  const rows = writtenRows()
  const expected = sabotages.map((each) => tableRow({ ...each, rule: '(.+)', seeds: 0 }))
  expect(rows.map((row) => row.replace(/ \| [^|*]+ \| \d+ \|$/, ' | (.+) | 0 |'))).toEqual(expected)
})
