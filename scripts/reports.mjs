import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'

import { ROOT } from './toolchain.mjs'

/** Where the test runners leave their JSON. */
export const REPORTS = {
  vitest: join(ROOT, 'node_modules', '.cache', 'vitest.json'),
  playwright: join(ROOT, 'node_modules', '.cache', 'playwright.json'),
}

/** Remove the reports of an earlier run, so that none of it is counted again. */
export function forgetReports() {
  for (const file of Object.values(REPORTS)) rmSync(file, { force: true })
}

/**
 * Sum over all reports there are. A test file that could not be loaded counts as one failure.
 * @returns {{ passed: number, failed: number, skipped: number }}
 */
export function readReports() {
  const vitest = read(REPORTS.vitest)
  const stats = read(REPORTS.playwright)?.stats
  /** @type {{ status: string, assertionResults: unknown[] }[]} */
  const files = vitest?.testResults ?? []
  const unloadable = files.filter((f) => f.status === 'failed' && f.assertionResults.length === 0)
  return {
    passed: (vitest?.numPassedTests ?? 0) + (stats?.expected ?? 0),
    failed:
      (vitest?.numFailedTests ?? 0) +
      unloadable.length +
      (stats?.unexpected ?? 0) +
      (stats?.flaky ?? 0),
    skipped: (vitest?.numPendingTests ?? 0) + (vitest?.numTodoTests ?? 0) + (stats?.skipped ?? 0),
  }
}

/** @param {string} file */
function read(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}

/**
 * How long each Vitest file took.
 * @returns {{ file: string, ms: number }[]}
 */
export function readSuites() {
  /** @type {{ name: string, startTime: number, endTime: number }[]} */
  const files = read(REPORTS.vitest)?.testResults ?? []
  return files.map(({ name, startTime, endTime }) => ({
    file: relative(ROOT, name),
    ms: endTime - startTime,
  }))
}
