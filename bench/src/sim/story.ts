import { runSeed, scenarios } from '@peerplane/testing/campaign'

import type { Examination } from './examine.ts'
import { printRun } from './print.ts'

/** Runs one seed and tells everything that happens in it. Returns the exit code: 1 for a broken rule. */
export async function tellStory({ seed, scenario, sabotage }: Examination): Promise<number> {
  const report = await runSeed(seed, {
    scenario: scenarios[scenario],
    log: (timeMs, what) => console.log(`${timeMs.toFixed(1).padStart(10)}  ${what}`),
  })
  printRun(report, { scenario, sabotage })
  return report.violations.length > 0 ? 1 : 0
}
