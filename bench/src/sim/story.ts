import { runSeed, scenarios, type ScenarioName } from '@peerplane/testing'

import { printRun } from './print.ts'

/** Runs one seed and tells everything that happens in it. Returns the exit code: 1 for a broken rule. */
export async function tellStory(seed: number, scenario: ScenarioName): Promise<number> {
  const report = await runSeed(seed, {
    scenario: scenarios[scenario],
    log: (timeMs, what) => console.log(`${timeMs.toFixed(1).padStart(10)}  ${what}`),
  })
  printRun(report)
  return report.violations.length > 0 ? 1 : 0
}
