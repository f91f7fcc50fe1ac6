// What users do: `npm install` of the packed packages in an empty folder outside of the checkout, then the first program of the README and
// one with a document, in Node and in pages built with Vite and with esbuild, opened in Chromium. The registry is the one that npm is
// configured to ask.
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

import { blocks, outputAfter } from './docs/markdown.ts'
import { output } from './docs/programs.ts'
import { printedByPages } from './packages/pages.ts'
import { type Packed, withPacked } from './packages/pack.ts'

const execute = promisify(execFile)

/** With what a page or process prints; `hello` is the README's, `page` needs the WASM of documents. */
const PROGRAMS = { hello: helloOfReadme(), page: pageProgram() }

await withPacked(async (packed) => {
  const place = mkdtempSync(join(tmpdir(), 'installed-'))
  try {
    await install(place, packed)
    const problems = [...(await inNode(place)), ...(await inChromium(place))]
    for (const problem of problems) console.error(problem)
    console.log(`installed from tarballs, 6 programs run, ${problems.length} failed`)
    if (problems.length > 0) process.exitCode = 1
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
})

/** As the README of the browser package says: without the peers that React Native would bring. */
async function install(place: string, packed: readonly Packed[]): Promise<void> {
  writeFileSync(join(place, 'package.json'), JSON.stringify({ type: 'module', private: true }))
  const tarballs = packed.filter(({ folder }) => folder !== 'testing').map(({ tarball }) => tarball)
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
  const args = ['install', '--legacy-peer-deps', '--prefer-offline', ...quiet, ...tarballs]
  await execute('npm', args, { cwd: place, timeout: 300_000 })
}

async function inNode(place: string): Promise<string[]> {
  const problems: string[] = []
  for (const [name, { program, prints }] of Object.entries(PROGRAMS)) {
    const cwd = join(place, `node-${name}`)
    mkdirSync(cwd)
    writeFileSync(join(cwd, 'program.ts'), program)
    const problem = await output(['node', 'program.ts'], prints, { cwd })
    if (problem) problems.push(`${name} in Node: ${problem}`)
  }
  return problems
}

async function inChromium(place: string): Promise<string[]> {
  const sites = { vite: join(place, 'with-vite'), esbuild: join(place, 'with-esbuild') }
  for (const [name, { program }] of Object.entries(PROGRAMS)) {
    const forBrowsers = program.replaceAll('@peerplane/node', '@peerplane/browser')
    for (const site of Object.values(sites)) {
      mkdirSync(join(site, name), { recursive: true })
      writeFileSync(join(site, name, 'program.ts'), forBrowsers)
    }
    const [vite, esbuild] = [join(sites.vite, name), join(sites.esbuild, name)]
    writeFileSync(join(vite, 'index.html'), '<script type="module" src="program.ts"></script>')
    writeFileSync(join(esbuild, 'index.html'), '<script type="module" src="program.js"></script>')
    await execute('vite', ['build', '--logLevel', 'warn'], { cwd: vite })
    const how = ['--bundle', '--splitting', '--format=esm', '--outdir=.', '--log-level=warning']
    await execute('esbuild', ['program.ts', ...how], { cwd: esbuild })
    const wasm = join(esbuild, '@automerge', 'automerge', 'automerge.wasm')
    mkdirSync(dirname(wasm), { recursive: true })
    cpSync(join(place, 'node_modules/@automerge/automerge/dist/automerge.wasm'), wasm)
  }
  const pages = Object.entries(PROGRAMS).flatMap(([name, { prints }]) => [
    { title: `${name} built with Vite`, folder: join(sites.vite, name, 'dist'), prints },
    { title: `${name} built with esbuild`, folder: join(sites.esbuild, name), prints },
  ])
  return printedByPages(pages)
}

function helloOfReadme(): { program: string; prints: string } {
  const all = blocks('README.md')
  const hello = all.find(({ language, words }) => language === 'ts' && words.includes('run'))
  const prints = hello && outputAfter(hello, all)
  if (!hello || prints === undefined) throw new Error('README.md has no program with its output')
  return { program: hello.text, prints }
}

function pageProgram(): { program: string; prints: string } {
  const program = `import { document, entity, open } from '@peerplane/node'

const state = document({ text: '' })
const commands = {
  write: (page, text: string) => {
    page.text = text
  },
}
const Page = entity('page', { state, commands })
const plane = await open({ entities: [Page], space: 'pages.example' })
const page = plane.get(Page, 'first')
page.subscribe(({ text }) => console.log(JSON.stringify(text)))
await page.write('hello')
`
  return { program, prints: '""\n"hello"' }
}
