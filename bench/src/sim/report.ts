import { writeFileSync } from 'node:fs'

import { reportHtml, type CommandPlan, type Recording } from '@peerplane/testing/campaign'

/** Writes the page about a run. */
export function writeReport(
  file: string,
  plan: CommandPlan,
  recording: Recording,
  replay: string,
): void {
  writeFileSync(file, reportHtml(plan, recording, replay))
  console.log(`report: ${file}`)
}
