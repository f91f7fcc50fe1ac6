/** What all steps may take together, on two cores. */
const LIMIT_MS = 15 * 60_000
/** From here on the tests are about to become too slow. */
const WARN_MS = 12 * 60_000

/**
 * Seconds that a test file may take; the ones that are not named may take {@link SUITE_SECONDS}.
 * @type {Record<string, number>}
 */
const SUITES = {
  'bench/src/sim.test.ts': 120,
  'bench/src/attack.test.ts': 60,
}
const SUITE_SECONDS = 40

/**
 * One step that was run, or was not because an earlier one failed; `seconds` is what it may take.
 * @typedef {{ name: string, result: 'ok' | 'FAILED' | 'not run', seconds: number, ms: number }} Row
 */

/**
 * The steps with their time, what each may take, and its share of the whole limit.
 * @param {Row[]} rows
 */
export function budgetTable(rows) {
  const lines = rows.map(({ name, result, seconds, ms }) =>
    line(name, result, (ms / 1000).toFixed(1), String(seconds), share(ms)),
  )
  const ms = total(rows)
  return [
    '',
    line('step', 'result', 's', 'may take', 'of 15 min'),
    ...lines,
    line('all', '', (ms / 1000).toFixed(1), String(LIMIT_MS / 1000), share(ms)),
  ].join('\n')
}

/**
 * Which steps took longer than they may. Only the sum fails, and only in CI: a single step on a busy machine says little.
 * @param {Row[]} rows
 * @param {boolean} ci
 * @returns {{ warnings: string[], failed: boolean }}
 */
export function judgeTime(rows, ci) {
  const warnings = rows
    .filter(({ seconds, ms }) => ms > seconds * 1000)
    .map(
      ({ name, seconds }) => `warning: step ${name} took longer than the ${seconds} s it may take`,
    )
  const ms = total(rows)
  if (ms > WARN_MS) {
    warnings.push(`warning: the tests take ${(ms / 60_000).toFixed(1)} of at most 15 minutes`)
  }
  return { warnings, failed: ci && ms > LIMIT_MS }
}

/**
 * Seconds that a test file may take.
 * @param {string} file relative to the checkout
 */
export const mayTake = (file) => SUITES[file] ?? SUITE_SECONDS

/**
 * Test files that took longer than they may.
 * @param {{ file: string, ms: number }[]} files `file` relative to the checkout
 */
export function slowSuites(files) {
  return files.flatMap(({ file, ms }) => {
    const seconds = mayTake(file)
    if (ms <= seconds * 1000) return []
    return [`warning: ${file} took ${(ms / 1000).toFixed(0)} of at most ${seconds} s`]
  })
}

/** @param {Row[]} rows */
const total = (rows) => rows.reduce((sum, { ms }) => sum + ms, 0)

/** @param {number} ms */
const share = (ms) => `${((100 * ms) / LIMIT_MS).toFixed(1)} %`

/** @param {string[]} cells */
const line = (...cells) => {
  const [name = '', result = '', ...figures] = cells
  return [name.padEnd(11), result.padEnd(8), ...figures.map((each) => each.padStart(10))].join(' ')
}
