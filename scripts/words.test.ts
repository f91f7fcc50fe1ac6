import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

import { afterAll, expect, test } from 'vitest'

import { REFUSED, refusedIn, ruledOut, sharedNames } from './words.mjs'

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

test('word order of another language is found, and what only looks like it is not', () => {
  const found = (text: string) => refusedIn(text).map((each) => each.found)
  expect(
    found('It has other keys than those, an own key, and throws `closed` where none is.'),
  ).toEqual(['an own', 'other keys than', 'throws `closed` where'])
  expect(found('Of two, one is shorter and the other longer than a key of its own.')).toEqual([])
})

test('every phrase says what to write instead, and that is not refused', () => {
  expect(REFUSED.length).toBeGreaterThanOrEqual(40)
  for (const [, instead] of REFUSED) expect(refusedIn(instead)).toEqual([])
})

test('words that the glossary rules out are refused, also in the plural', () => {
  const refused = ruledOut(readFileSync('docs/glossary.md', 'utf8'))
  expect(refused.length).toBeGreaterThan(4)
  const found = refusedIn('Masters keep a version vector.', refused)
  expect(found.map((each) => each.found)).toEqual(['Masters', 'version vector'])
})

test('a type that two files declare and export is found; one that is passed on is not', () => {
  const sources = new Map([
    ['a.ts', 'export interface Step {}\ninterface Place {}\nexport type Way = 1\n'],
    ['b.ts', 'export class Step {}\nexport type Place = 2\n'],
    ['c.ts', "export type { Way } from './a.ts'\n"],
  ])
  expect(sharedNames(sources)).toEqual([{ name: 'Step', paths: ['a.ts', 'b.ts'] }])
})

test('the command fails for a refused phrase and a shared name, and prints where they are', () => {
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
  mkdirSync(join(folder, 'packages'))
  writeFileSync(join(folder, 'page.md'), 'It writes.\n')
  for (const name of ['a', 'b']) {
    writeFileSync(join(folder, 'packages', `${name}.ts`), 'export interface Step {}\n')
  }
  git('add', '.')
  expect(check()).toMatchObject({
    status: 1,
    stdout: expect.stringContaining('packages/a.ts, packages/b.ts: all export a type Step'),
  })
})
