import { readFileSync, writeFileSync } from 'node:fs'

/** The page with the table of planted bugs. */
const PAGE = new URL('../../../docs/testing.md', import.meta.url)

/** What a campaign made of one planted bug. */
export interface Finding {
  readonly name: string
  /** What goes wrong, in a few words. */
  readonly what: string
  /** The rule that was broken; `undefined`: the bug survived. */
  readonly rule: string | undefined
  /** Seeds until then. */
  readonly seeds: number
}

/** The first lines of the table. */
export const tableHead = '| planted bug | found by | after seeds |\n| --- | --- | --- |'

export const tableRow = ({ name, what, rule, seeds }: Finding): string =>
  `| ${what} (\`${name}\`) | ${rule ?? '**survived**'} | ${seeds} |`

/** The rows of the table in the page, without its head. */
export function writtenRows(): string[] {
  return bounds(readFileSync(PAGE, 'utf8')).table.trimEnd().split('\n').slice(2)
}

/** Puts a table into the page, in place of the one that it has. */
export function writeTable(findings: readonly Finding[]): void {
  const { before, after } = bounds(readFileSync(PAGE, 'utf8'))
  const rows = findings.map((finding) => `${tableRow(finding)}\n`)
  writeFileSync(PAGE, `${before}${tableHead}\n${rows.join('')}${after}`)
}

/** The page around its table, which ends with an empty line. */
function bounds(page: string): { before: string; table: string; after: string } {
  const begin = page.indexOf('| planted bug')
  const end = page.indexOf('\n\n', begin) + 1
  return { before: page.slice(0, begin), table: page.slice(begin, end), after: page.slice(end) }
}
