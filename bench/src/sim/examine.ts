import { readFileSync, writeFileSync } from 'node:fs'

import type { CommandPlan, Regression, Rule } from '@peerplane/testing'

import { plant } from './plant.ts'
import { printRun } from './print.ts'
import { writeReport } from './report.ts'
import { shrunken } from './shrink.ts'

/** One run to look at closely. */
export interface Examination {
  readonly seed: number
  /** File with a plan, instead of a seed. */
  readonly plan: string | undefined
  readonly sabotage: string | undefined
  /** Whether to make the run as small as it can be while it breaks the same rule. */
  readonly shrink: boolean
  /** File for the page about the run. */
  readonly report: string | undefined
  /** File for the plan, kept as a regression. */
  readonly save: string | undefined
  /** A sentence to keep with it. */
  readonly because: string | undefined
}

/** A run with more steps is not told as a story unless it is asked for. */
const STORY_STEPS = 40

/** Runs one seed or plan, makes it small, tells it, writes it down. Returns the exit code: 1 for a broken rule. */
export async function examine(examination: Examination): Promise<number> {
  const kept = examination.plan === undefined ? undefined : readPlan(examination.plan)
  const sabotage = examination.sabotage ?? kept?.sabotage
  if (sabotage !== undefined) plant(sabotage)
  // Loaded after planting: the bug has to be in the modules that are run.
  const { performSeed, runPlan, Recorder, tellRun } = await import('@peerplane/testing')
  const whole = kept
    ? { plan: kept.plan, report: await runPlan(kept.plan) }
    : await performSeed(examination.seed)
  printRun(whole.report)
  const rule = whole.report.violations[0]?.rule
  const plan = examination.shrink && rule ? await shrunken(whole.plan, rule) : whole.plan

  const recorder = new Recorder()
  await runPlan(plan, {
    recorder,
    stopAt: rule === undefined ? undefined : (violation) => violation.rule === rule,
  })
  const recording = recorder.recording()
  if (plan.steps.length <= STORY_STEPS) console.log(`\n${tellRun(plan, recording)}\n`)
  const again = examination.save ?? examination.plan
  const replay = replayText(again, sabotage, examination)
  console.log(`replay: ${replay}`)
  if (examination.report !== undefined)
    await writeReport(examination.report, plan, recording, replay)
  if (examination.save !== undefined)
    save(examination.save, plan, rule, sabotage, examination.because)
  return rule === undefined ? 0 : 1
}

function replayText(
  file: string | undefined,
  sabotage: string | undefined,
  { seed, shrink }: Examination,
): string {
  const bug = sabotage === undefined ? '' : ` --sabotage ${sabotage}`
  const small = shrink ? ' --shrink' : ' --story'
  return `npm run sim -- ${file === undefined ? `--seed ${seed}${small}` : `--plan ${file}`}${bug}`
}

/** A file holds a plan, or a regression with one. */
function readPlan(file: string): {
  readonly plan: CommandPlan
  readonly sabotage?: string | undefined
} {
  const content = JSON.parse(readFileSync(file, 'utf8')) as CommandPlan | Regression
  return 'plan' in content ? content : { plan: content }
}

function save(
  file: string,
  plan: CommandPlan,
  rule: Rule | undefined,
  sabotage: string | undefined,
  because: string | undefined,
): void {
  const content = rule === undefined ? plan : { because: because ?? '', sabotage, rule, plan }
  writeFileSync(file, `${JSON.stringify(content, undefined, 2)}\n`)
  console.log(`saved as ${file}`)
}
