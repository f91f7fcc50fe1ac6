import { writeFileSync } from 'node:fs'

import type { CommandPlan, Recording } from '@peerplane/testing'

/** Writes the page about a run. */
export async function writeReport(
  file: string,
  plan: CommandPlan,
  recording: Recording,
  replay: string,
): Promise<void> {
  const { reportHtml } = await import('@peerplane/testing')
  writeFileSync(file, reportHtml(plan, recording, replay))
  console.log(`report: ${file}`)
}
