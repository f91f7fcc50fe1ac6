import { writeFileSync } from 'node:fs'

import {
  performSeed,
  Recorder,
  runPlan,
  scenarios,
  tellRun,
  type CommandPlan,
  type Rule,
} from '@peerplane/testing/campaign'

import type { Kept, Examination } from './examine.ts'
import { printRun, replayText } from './print.ts'
import { writeReport } from './report.ts'
import { shrunken } from './shrink.ts'
import { tellStory } from './story.ts'

/** A run with more steps is not told as a story unless it is asked for. */
const STORY_STEPS = 40

/** Does what {@link Examination} asks, in a thread into which the bug is planted already. Returns the exit code: 1 for a broken rule. */
export async function look(examination: Examination, kept: Kept | undefined): Promise<number> {
  if (examination.story) return tellStory(examination)
  const whole = kept
    ? { plan: kept.plan, report: await runPlan(kept.plan) }
    : await performSeed(examination.seed, { scenario: scenarios[examination.scenario] })
  printRun(whole.report, examination)
  const rule = whole.report.violations[0]?.rule
  const plan = examination.shrink && rule ? await shrunken(whole.plan, rule) : whole.plan

  const recorder = new Recorder()
  await runPlan(plan, {
    recorder,
    stopAt: rule === undefined ? undefined : (violation) => violation.rule === rule,
  })
  const recording = recorder.recording()
  if (plan.steps.length <= STORY_STEPS) console.log(`\n${tellRun(plan, recording)}\n`)
  const { save: file } = examination
  // What is saved is small already.
  const replay = replayText(
    file === undefined ? examination : { ...examination, plan: file, shrink: false },
  )
  console.log(`replay: ${replay}`)
  if (examination.report !== undefined) writeReport(examination.report, plan, recording, replay)
  if (file !== undefined) save(file, plan, rule, examination)
  return rule === undefined ? 0 : 1
}

function save(
  file: string,
  plan: CommandPlan,
  rule: Rule | undefined,
  { sabotage, because }: Examination,
): void {
  const content = rule === undefined ? plan : { because: because ?? '', sabotage, rule, plan }
  writeFileSync(file, `${JSON.stringify(content, undefined, 2)}\n`)
  console.log(`saved as ${file}`)
}
