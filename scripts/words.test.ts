import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

import { afterAll, expect, test } from 'vitest'

import { REFUSED, refusedIn } from './words.mjs'

const folder = mkdtempSync(join(tmpdir(), 'words-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('a refused phrase is found with its line, whatever its case, as whole words only', () => {
  const text = 'A store.\nWhoever writes shall wait until\nthe shallow tiller is anew.'
  expect(refusedIn(text).map(({ line, found }) => [line, found])).toEqual([
    [2, 'Whoever'],
    [2, 'shall'],
    [3, 'anew'],
  ])
})

test('every phrase says what to write instead, and that is not refused', () => {
  expect(REFUSED.length).toBeGreaterThanOrEqual(40)
  for (const [, instead] of REFUSED) expect(refusedIn(instead)).toEqual([])
})

test('the command fails for a refused phrase and prints its place', () => {
  const git = (...args: string[]) => spawnSync('git', args, { cwd: folder })
  git('init')
  const check = () =>
    spawnSync(process.execPath, [resolve('scripts/words.mjs')], { cwd: folder, encoding: 'utf8' })
  writeFileSync(join(folder, 'page.md'), 'It writes.\n')
  git('add', '.')
  expect(check()).toMatchObject({ status: 0 })
  writeFileSync(join(folder, 'page.md'), 'It writes.\nIt seldom reads.\n')
  expect(check()).toMatchObject({
    status: 1,
    stdout: expect.stringContaining('page.md:2: "seldom"; instead: rarely'),
  })
})
