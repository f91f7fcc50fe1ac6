// What the documentation says must be true: its code compiles, its examples run and print what
// the page shows, its links lead somewhere, its npm commands exist,
// and so do the tests, files, names and rules of the protocol that it mentions.
//
//   ```ts               is type checked, as a module of its own
//   ```ts run           is also run; it must end without being stopped, or be followed by
//   ```text output      all that the run has to print; it is stopped a second after it has
//   ```sh run tally     is run in the folder `tally`, empty at first, beside the checkout, which is
//                       called `peerplane` there; blocks of one page share the folder
//   ```sh run tally x.ts   begins with the last program before it saved there as `x.ts`
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'

import { unprovenPromises, unprovenRows } from './docs/bad-inputs.ts'
import { brokenLinks } from './docs/links.ts'
import { type Block, blocks, outputAfter } from './docs/markdown.ts'
import { missingFiles, missingNames, missingParts } from './docs/places.ts'
import { output, typeErrors } from './docs/programs.ts'
import { unknownRules } from './docs/rules.ts'
import { shellProblems } from './docs/shell.ts'
import { staleTables } from './docs/tables.ts'

const PAGES = ['*.md', 'docs/**/*.md', '{packages,apps}/*/*.md', '{bench,examples}/*.md']

// The README of a package may import what the package may, and the package itself; other pages what
// the examples may.
const COMMON = 'examples/.docs'
const folderOf = (page: string): string =>
  page.startsWith('packages/') ? join(dirname(page), '.docs') : COMMON

const pages = globSync(PAGES).toSorted()
const problems = [
  ...pages.flatMap(brokenLinks),
  ...pages.flatMap(unknownScripts),
  ...pages.flatMap(missingFiles),
  ...globSync('packages/*/README.md').flatMap(missingParts),
  ...missingNames('docs/how-to.md'),
  ...staleTables('.'),
  ...unprovenRows('docs/bad-inputs.md'),
  ...unprovenPromises('SECURITY.md'),
  ...unknownRules(
    'docs/protocol.md',
    globSync('{packages,bench,scripts,docs}/**/*.{ts,mjs,md}', {
      exclude: ['**/node_modules', '**/dist'],
    }),
  ),
]
const code = await check(pages.flatMap(blocks))
for (const problem of [...problems, ...code.problems]) console.error(problem)
console.log(`${pages.length} pages, ${code.checked} code blocks checked, ${code.ran} run`)
if (problems.length + code.problems.length > 0) process.exitCode = 1

async function check(all: Block[]): Promise<{ problems: string[]; checked: number; ran: number }> {
  const programs = all.filter((block) => block.language === 'ts')
  const folders = [...new Set([COMMON, ...programs.map(({ page }) => folderOf(page))])]
  for (const folder of folders) mkdirSync(folder, { recursive: true })
  try {
    for (const block of programs) writeFileSync(fileOf(block), source(block))
    const problems = typeErrors(COMMON, folders)
    const runs = programs.filter((program) => program.words.includes('run'))
    for (const block of runs) problems.push(...(await runProblem(block, all)))
    const shell = await shellProblems(all)
    problems.push(...shell.problems)
    return { problems, checked: programs.length, ran: runs.length + shell.ran }
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true })
  }
}

async function runProblem(block: Block, all: Block[]): Promise<string[]> {
  const cwd = mkdtempSync(join(tmpdir(), 'docs-'))
  const command = ['node', '--conditions=@peerplane/source', resolve(fileOf(block))]
  const problem = await output(command, outputAfter(block, all), { cwd })
  rmSync(cwd, { recursive: true, force: true })
  return problem ? [`${block.page}:${block.line}: ${problem}`] : []
}

/** Empty lines first, so that a message about line n of the file is about line n of the page. */
function source(block: Block): string {
  return `${'\n'.repeat(block.line)}${block.text}\nexport {}\n`
}

function fileOf(block: Block): string {
  return join(folderOf(block.page), `${basename(block.page, '.md')}.${block.line}.ts`)
}

function unknownScripts(page: string): string[] {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'))
  const text = readFileSync(page, 'utf8')
  return [...text.matchAll(/npm (?:run )?([a-z:-]+)/g)]
    .map(([command, name]) => ({ command, name }))
    .filter(({ command, name }) => command.startsWith('npm run ') && !(String(name) in scripts))
    .map(({ command }) => `${page}: there is no "${command}"`)
}
