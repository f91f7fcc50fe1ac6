import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'

import type { CommandPlan, Regression, ScenarioName } from '@peerplane/testing/campaign'

/** One run to look at closely. */
export interface Examination {
  readonly seed: number
  readonly scenario: ScenarioName
  /** Tells everything that happens, and does nothing else. */
  readonly story?: boolean | undefined
  /** File with a plan, instead of a seed. */
  readonly plan?: string | undefined
  readonly sabotage?: string | undefined
  /** Whether to make the run as small as it can be while it breaks the same rule. */
  readonly shrink?: boolean | undefined
  /** File for the page about the run. */
  readonly report?: string | undefined
  /** File for the plan, kept as a regression. */
  readonly save?: string | undefined
  /** A sentence to keep with it. */
  readonly because?: string | undefined
}

/** What a file holds: a plan, or a regression with one. */
export interface Kept {
  readonly plan: CommandPlan
  readonly sabotage?: string | undefined
}

/** What the thread is started with. */
export interface ExaminationThread {
  readonly examination: Examination
  readonly kept: Kept | undefined
}

/**
 * Runs one seed or plan, shrinks it, prints its story and saves it. In a thread of its own, where no source of the product is loaded before a
 * bug is planted. Returns the exit code: 1 for a broken rule.
 */
export function examine(examination: Examination): Promise<number> {
  const kept = examination.plan === undefined ? undefined : readPlan(examination.plan)
  const sabotage = examination.sabotage ?? kept?.sabotage
  const workerData: ExaminationThread = { examination: { ...examination, sabotage }, kept }
  const worker = new Worker(new URL('./examine-worker.ts', import.meta.url), { workerData })
  return new Promise((resolve, reject) => {
    let code = 1
    worker.on('message', (answer: number) => {
      code = answer
    })
    worker.on('error', reject)
    worker.on('exit', () => resolve(code))
  })
}

function readPlan(file: string): Kept {
  const content = JSON.parse(readFileSync(file, 'utf8')) as CommandPlan | Regression
  return 'plan' in content ? content : { plan: content }
}
