import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { errorKinds } from '../../packages/core/src/index.ts'

/** A call of `describe`: its indentation, a quote, its title, and its tests. */
const GROUP = /^( *)describe\b.*?\((['"`])(.+?)\2, ([\s\S]*?)^\1\}\)/gm

/**
 * What is wrong with the table of bad inputs: every row names error codes that exist, or `none`, and tests that exist, written as a link to
 * the file and the title in quotes.
 */
export function unprovenRows(page: string): string[] {
  const rows = readFileSync(page, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (?:bad input|-+) /.test(line))
    .map((line) => line.slice(1, -1).split(' | '))
  if (rows.length === 0) return [`${page}: there is no table`]
  return rows.flatMap((row) => problemsOf(page, row)).map((problem) => `${page}: ${problem}`)
}

function problemsOf(page: string, row: readonly string[]): string[] {
  const [input = '', codes = '', , tests = ''] = row.map((cell) => cell.trim())
  const named = [...codes.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
  return [
    ...(row.length === 4 ? [] : [`"${input}" has ${row.length} cells instead of 4`]),
    ...(named.length > 0 || codes === 'none' ? [] : [`"${input}" names no error code`]),
    ...named.filter((code) => !(code in errorKinds)).map((code) => `there is no code ${code}`),
    ...missingTests(page, input, tests),
  ]
}

/** What is wrong with the tables of promises: every row names tests that exist, in the same way. */
export function unprovenPromises(page: string): string[] {
  const rows = readFileSync(page, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (?:what|-+) /.test(line))
    .map((line) => line.slice(2, -2).split(' | '))
  if (rows.length === 0) return [`${page}: there is no table`]
  return rows
    .flatMap(([promise = '', tests = '']) => missingTests(page, promise, tests))
    .map((problem) => `${page}: ${problem}`)
}

function missingTests(page: string, row: string, tests: string): string[] {
  const references = [...tests.matchAll(/\]\(([^)]+)\) "([^"]+)"/g)]
  return [
    ...(references.length > 0 ? [] : [`"${row}" names no test`]),
    ...references
      .filter(([, file = '', title = '']) => !hasTest(join(dirname(page), file), title))
      .map(([, file, title]) => `${file} has no test "${title}"`),
  ]
}

/**
 * Whether the file has a test with this title, as Vitest prints it: the titles of the groups around it may come first, and the values of a case
 * after a colon may be left out.
 */
function hasTest(file: string, title: string): boolean {
  return existsSync(file) && isTestIn(readFileSync(file, 'utf8'), title)
}

/** Whether a call in the source begins with this title, as those of `it`, `test` and `it.each([…])` do. */
function isTestIn(source: string, title: string): boolean {
  const escaped = title.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)
  const values = String.raw`(?:: (?:(?!\1).)*[$%](?:(?!\1).)*)?`
  const call = new RegExp(String.raw`(?:\b(?:it|test)|\))\(\s*(['"\`])${escaped}${values}\1,`)
  return (
    call.test(source) ||
    [...source.matchAll(GROUP)].some(
      ([, , , group = '', tests = '']) =>
        title.startsWith(`${group} `) && isTestIn(tests, title.slice(group.length + 1)),
    )
  )
}
