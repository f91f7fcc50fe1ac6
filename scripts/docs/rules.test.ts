import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { unknownRules } from './rules.ts'

// Written in two parts: this file is looked at, too.
const rule = (name: string): string => `R-${name}`

test('a rule has an id of its own, and only rules are named', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rules-'))
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const page = write('page.md', `\`${rule('RUN-1')}\` A run. \`${rule('RUN-2')}\` Another one.`)
  const names = write('check.ts', `'${rule('RUN-1')}', '${rule('RUN-3')}'`)
  expect(unknownRules(page, [page, names])).toEqual([
    `${names}: ${page} has no rule ${rule('RUN-3')}`,
  ])
  const twice = write('twice.md', `- \`${rule('RUN-1')}\` A run.\n- \`${rule('RUN-1')}\` A run.`)
  expect(unknownRules(twice, [])).toEqual([`${twice}: ${rule('RUN-1')} is the id of two rules`])
  const refers = write(
    'refers.md',
    `\`${rule('RUN-1')}\` A run (\`${rule('RUN-1')}\`, \`${rule('RUN-4')}\`).`,
  )
  expect(unknownRules(refers, [])).toEqual([`${refers}: ${refers} has no rule ${rule('RUN-4')}`])
  expect(unknownRules(write('none.md', ''), [])).toHaveLength(1)
  rmSync(folder, { recursive: true })
})
