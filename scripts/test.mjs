// npm test: everything that must hold, cheap things first, stopping at the first failure.
// npm test -- --only lint,vitest runs the named steps.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import { ensureChromium } from './chromium.mjs'
import { budgetTable, judgeTime, slowSuites } from './budget.mjs'
import { REPORTS, forgetReports, readReports, readSuites } from './reports.mjs'
import { ROOT, install, run, useToolchain } from './toolchain.mjs'

/**
 * @typedef {{ name: string, command: string, args: string[], seconds: number,
 *   env?: Record<string, string>, browser?: boolean }} Step `seconds` is what it may take on two cores
 * @type {Step[]}
 */
const STEPS = [
  { name: 'format', command: 'oxfmt', args: ['--check'], seconds: 10 },
  { name: 'lint', command: 'oxlint', args: ['--type-aware'], seconds: 45 },
  { name: 'types', command: 'tsc', args: ['-b'], seconds: 60 },
  {
    name: 'arch',
    command: 'depcruise',
    args: ['--config', '.dependency-cruiser.mjs', 'packages', 'apps', 'examples', 'bench'],
    seconds: 15,
  },
  { name: 'unused', command: 'knip', args: ['--treat-config-hints-as-errors'], seconds: 20 },
  {
    name: 'shipped',
    command: 'knip',
    args: ['--production', '--include', 'files'],
    seconds: 20,
  },
  { name: 'api', command: 'node', args: ['scripts/api.ts', '--check'], seconds: 20 },
  { name: 'words', command: 'node', args: ['scripts/words.mjs'], seconds: 5 },
  { name: 'versions', command: 'sherif', args: ['--fail-on-warnings'], seconds: 5 },
  {
    name: 'vitest',
    command: 'vitest',
    args: ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${REPORTS.vitest}`],
    seconds: 480,
    browser: true,
  },
  { name: 'docs', command: 'node', args: ['scripts/check-docs.ts'], seconds: 40 },
  {
    name: 'build',
    command: 'vite',
    args: ['build', '--logLevel', 'warn', 'apps/demo'],
    seconds: 20,
  },
  { name: 'packages', command: 'node', args: ['scripts/check-packages.ts'], seconds: 45 },
  {
    name: 'install',
    command: 'node',
    args: ['scripts/check-install.ts'],
    seconds: 60,
    browser: true,
  },
  {
    name: 'e2e',
    command: 'playwright',
    args: ['test', '--reporter=list,json'],
    seconds: 240,
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
  console.log(budgetTable(table))
  const time = judgeTime(table, process.env['CI'] !== undefined)
  for (const line of [...time.warnings, ...slowSuites(readSuites())]) console.log(line)
  if (skipped > 0) console.log(`\n${skipped} skipped: a test runs or does not exist`)
  console.log(`\n${passed} passed, ${failed} failed`)
  const whole = table.every((row) => row.result === 'ok')
  return whole && failed === 0 && skipped === 0 && !time.failed ? 0 : 1
}

/** @typedef {import('./budget.mjs').Row} Row */

/**
 * @param {Step[]} steps
 * @returns {Promise<Row[]>}
 */
async function runAll(steps) {
  /** @type {Row[]} */
  const table = []
  let broken = false
  for (const { name, command, args, seconds, env } of steps) {
    if (broken) {
      table.push({ name, result: 'not run', seconds, ms: 0 })
      continue
    }
    console.log(`\n== ${name}: ${command} ${args.join(' ')}`)
    const start = Date.now()
    const code = await run(command, args, env)
    broken = code !== 0
    table.push({ name, result: broken ? 'FAILED' : 'ok', seconds, ms: Date.now() - start })
  }
  return table
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
