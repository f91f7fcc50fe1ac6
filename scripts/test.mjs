// npm test: everything that must hold, cheap things first, stopping at the first failure.
// npm test -- --only lint,vitest runs the named steps.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import { ensureChromium } from './chromium.mjs'
import { REPORTS, forgetReports, readReports } from './reports.mjs'
import { ROOT, install, run, useToolchain } from './toolchain.mjs'

/**
 * @typedef {{ name: string, command: string, args: string[], env?: Record<string, string>,
 *   browser?: boolean }} Step
 * @type {Step[]}
 */
const STEPS = [
  { name: 'format', command: 'oxfmt', args: ['--check'] },
  { name: 'lint', command: 'oxlint', args: ['--type-aware'] },
  { name: 'types', command: 'tsc', args: ['-b'] },
  {
    name: 'arch',
    command: 'depcruise',
    args: ['--config', '.dependency-cruiser.mjs', 'packages', 'apps', 'examples', 'bench'],
  },
  { name: 'unused', command: 'knip', args: ['--treat-config-hints-as-errors'] },
  { name: 'versions', command: 'sherif', args: ['--fail-on-warnings'] },
  {
    name: 'vitest',
    command: 'vitest',
    args: ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${REPORTS.vitest}`],
    browser: true,
  },
  { name: 'docs', command: 'node', args: ['scripts/check-docs.ts'] },
  { name: 'build', command: 'vite', args: ['build', '--logLevel', 'warn', 'apps/demo'] },
  { name: 'packages', command: 'node', args: ['scripts/check-packages.ts'] },
  {
    name: 'e2e',
    command: 'playwright',
    args: ['test', '--reporter=list,json'],
    env: { PLAYWRIGHT_JSON_OUTPUT_FILE: REPORTS.playwright },
    browser: true,
  },
]

process.exitCode = await main(chosen(process.argv.slice(2)))

/** @param {Step[]} steps */
async function main(steps) {
  install()
  useToolchain()
  if (steps.some((step) => step.browser)) process.env['CHROMIUM'] = ensureChromium()
  mkdirSync(join(ROOT, 'node_modules', '.cache'), { recursive: true })
  forgetReports()
  const table = await runAll(steps)
  const { passed, failed, skipped } = readReports()
  printTable(table)
  if (skipped > 0) console.log(`\n${skipped} skipped: a test runs or does not exist`)
  console.log(`\n${passed} passed, ${failed} failed`)
  const whole = table.every((row) => row.result === 'ok')
  return whole && failed === 0 && skipped === 0 ? 0 : 1
}

/** @typedef {{ name: string, result: 'ok' | 'FAILED' | 'not run', ms: number }} Row */

/**
 * @param {Step[]} steps
 * @returns {Promise<Row[]>}
 */
async function runAll(steps) {
  /** @type {Row[]} */
  const table = []
  let broken = false
  for (const { name, command, args, env } of steps) {
    if (broken) {
      table.push({ name, result: 'not run', ms: 0 })
      continue
    }
    console.log(`\n== ${name}: ${command} ${args.join(' ')}`)
    const start = Date.now()
    const code = await run(command, args, env)
    broken = code !== 0
    table.push({ name, result: broken ? 'FAILED' : 'ok', ms: Date.now() - start })
  }
  return table
}

/** @param {Row[]} table */
function printTable(table) {
  console.log('\nstep        result        s')
  for (const { name, result, ms } of table) {
    console.log(`${name.padEnd(11)} ${result.padEnd(8)} ${(ms / 1000).toFixed(1).padStart(6)}`)
  }
}

/**
 * @param {string[]} args
 * @returns {Step[]}
 */
function chosen(args) {
  if (args.length === 0) return STEPS
  const names = args[1]?.split(',') ?? []
  const known = names.every((name) => STEPS.some((step) => step.name === name))
  if (args[0] !== '--only' || args.length !== 2 || !known) {
    console.error(`usage: npm test [-- --only ${STEPS.map((step) => step.name).join(',')}]`)
    process.exit(2)
  }
  return STEPS.filter((step) => names.includes(step.name))
}
