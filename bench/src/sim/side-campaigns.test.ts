import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { transformSync } from 'esbuild'
import { expect, test } from 'vitest'

import { deletionsBugs } from './deletions-bugs.ts'
import { evolveBugs } from './evolve-bugs.ts'
import { mixedBugs } from './mixed-bugs.ts'
import { nextBuild } from './next-build.ts'
import type { Change } from './sabotage.ts'
import { writersBugs } from './writers-bugs.ts'

const packages = new URL('../../../packages/', import.meta.url)
const command = fileURLToPath(new URL('../sim.ts', import.meta.url))

/** Runs `npm run sim -- --mixed`, `--evolve`, `--writers` or `--deletions`. */
function sim(...args: string[]): Promise<{ code: unknown; output: string }> {
  const all = ['--conditions=@peerplane/source', command, ...args]
  return new Promise((resolve) => {
    execFile(process.execPath, all, (error, stdout, stderr) => {
      resolve({ code: error ? error.code : 0, output: stdout + stderr })
    })
  })
}

test('a build and the next one edit together: nothing blocks, nothing is lost', async () => {
  const { code, output } = await sim('--mixed', '--seeds', '6')
  expect(output).toContain('6, 0 with a violation')
  expect(code).toBe(0)
}, 60_000)

test('bugs of the older build are found', async () => {
  const names = 'drop-unknown-keys,ignore-critical-key'
  const { code, output } = await sim('--mixed', '--sabotage', names, '--seeds', '4')
  expect(output.match(/after \d+ seeds/g)).toHaveLength(2)
  expect(output).not.toContain('SURVIVED')
  expect(code).toBe(0)
}, 60_000)

test('two versions of an app edit together, and change from start to start: nothing is lost', async () => {
  const { code, output } = await sim('--evolve', '--seeds', '6')
  expect(output).toContain('6, 0 with a violation')
  expect(code).toBe(0)
}, 60_000)

test('bugs of migrations are found', async () => {
  const names = 'write-newer-only,take-freed-name'
  const { code, output } = await sim('--evolve', '--sabotage', names, '--seeds', '4')
  expect(output.match(/after \d+ seeds/g)).toHaveLength(2)
  expect(output).not.toContain('SURVIVED')
  expect(code).toBe(0)
}, 60_000)

test('devices with single writers are cloned and restored: all show the same branches, and nothing is gone', async () => {
  const { code, output } = await sim('--writers', '--seeds', '6')
  expect(output).toContain('6, 0 with a violation')
  expect(code).toBe(0)
}, 60_000)

test('bugs of single writers are found', async () => {
  const names = 'begin-without-names,forget-names-in-rows'
  const { code, output } = await sim('--writers', '--sabotage', names, '--seeds', '4')
  expect(output.match(/after \d+ seeds/g)).toHaveLength(2)
  expect(output).not.toContain('SURVIVED')
  expect(code).toBe(0)
}, 60_000)

test('devices delete entities and create them again: what is shown follows from what each command knew', async () => {
  const { code, output } = await sim('--deletions', '--seeds', '6')
  expect(output).toContain('6, 0 with a violation')
  expect(code).toBe(0)
}, 60_000)

test('bugs of deletions are found', async () => {
  const names = 'generation-goes-on,old-generations-count'
  const { code, output } = await sim('--deletions', '--sabotage', names, '--seeds', '4')
  expect(output.match(/after \d+ seeds/g)).toHaveLength(2)
  expect(output).not.toContain('SURVIVED')
  expect(code).toBe(0)
}, 60_000)

test('a bug that is not there is refused', async () => {
  const { code, output } = await sim('--writers', '--sabotage', 'forget-all')
  expect(output).toContain('no bug "forget-all"; there are begin-without-names')
  expect(code).toBe(2)
})

test('the next build and each bug change what stands in the sources', () => {
  const bugs = [...mixedBugs, ...evolveBugs, ...writersBugs, ...deletionsBugs]
  for (const changes of [nextBuild, ...bugs.map((bug) => bug.changes)]) {
    const files = new Set(changes.map(({ file }) => file))
    for (const file of files) expectChangeable(changes.filter((each) => each.file === file))
  }
})

/** Makes the changes of one file, one after the other; what comes out must compile. */
function expectChangeable(changes: readonly Change[]): void {
  const { file } = changes[0]!
  let source = readFileSync(new URL(file, packages), 'utf8')
  for (const { find, replace } of changes) {
    expect(source.split(find), `${file} reads: ${find}`).toHaveLength(2)
    source = source.replace(find, () => replace)
  }
  transformSync(source, { loader: 'ts' })
}
