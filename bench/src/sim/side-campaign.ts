import { Worker } from 'node:worker_threads'

import type { SideReport } from '@peerplane/testing/campaign'

import { deletionsBugs } from './deletions-bugs.ts'
import { evolveBugs } from './evolve-bugs.ts'
import { mixedBugs, type MixedBug } from './mixed-bugs.ts'
import { writersBugs } from './writers-bugs.ts'

/** Which seeds to run. */
export interface Seeds {
  readonly first: number
  readonly count: number
  readonly workers: number
}

/** A campaign whose runs differ so much from the general ones that it has bugs of its own. */
interface SideCampaign {
  readonly what: string
  readonly bugs: readonly MixedBug[]
}

/** The options of `npm run sim` that run a side campaign. */
export const sideNames = ['mixed', 'evolve', 'writers', 'deletions'] as const

export type SideName = (typeof sideNames)[number]

/** The side campaigns, by their option. */
export const sideCampaigns: Readonly<Record<SideName, SideCampaign>> = {
  mixed: { what: 'runs with two builds', bugs: mixedBugs },
  evolve: { what: 'runs with two versions of an app', bugs: evolveBugs },
  writers: { what: 'runs with single writers', bugs: writersBugs },
  deletions: { what: 'runs with deletions', bugs: deletionsBugs },
}

/** What the workers of a side campaign are started with: their seeds, and the name of a bug to plant. */
export interface SideWork {
  readonly campaign: SideName
  readonly seeds: readonly number[]
  readonly bug: string | undefined
}

/** One run; `counts` are added up. */
export interface SideResult {
  readonly report: SideReport
  readonly counts: { readonly [what: string]: number }
}

export type FromSideWorker = SideResult | { readonly failure: string }

/** Runs seeds, and prints what happened in them. Returns the exit code. */
export async function runSideCampaign(campaign: SideName, seeds: Seeds): Promise<number> {
  const started = performance.now()
  const runs: SideResult[] = []
  const failures: string[] = []
  await runAll(campaign, seeds, undefined, (message) => {
    if ('failure' in message) failures.push(message.failure)
    else runs.push(message)
    return false
  })
  for (const { report } of runs) {
    const { seed, violations } = report
    for (const violation of violations) failures.push(`seed ${seed}: ${violation}`)
  }
  for (const failure of failures.slice(0, MOST_PRINTED)) console.log(failure)
  const broken = runs.filter(({ report }) => report.violations.length > 0).length
  const sum = (value: (run: SideResult) => number): number =>
    runs.reduce((total, run) => total + value(run), 0)
  const rows = [
    [sideCampaigns[campaign].what, `${runs.length}, ${broken} with a violation`],
    ['commands acknowledged as synced', sum(({ report }) => report.acknowledged)],
    ['faults', sum(({ report }) => report.faults)],
    ...Object.keys(runs[0]?.counts ?? {}).map((what) => [what, sum(({ counts }) => counts[what]!)]),
    ['virtual hours', (sum(({ report }) => report.virtualMs) / 3_600_000).toFixed(1)],
    ['seconds', ((performance.now() - started) / 1000).toFixed(0)],
  ]
  for (const [name, value] of rows) console.log(`${String(name).padEnd(44)}${value}`)
  return failures.length === 0 && runs.length === seeds.count ? 0 : 1
}

/** Plants the bugs of a campaign, all or those named, one at a time. Returns the exit code: a bug that survives is a failure. */
export async function runSideBugs(
  campaign: SideName,
  seeds: Seeds,
  names: readonly string[] | undefined,
): Promise<number> {
  const { bugs } = sideCampaigns[campaign]
  const unknown = names?.find((name) => !bugs.some((bug) => bug.name === name))
  if (unknown !== undefined) {
    console.error(`no bug "${unknown}"; there are ${bugs.map(({ name }) => name).join(', ')}`)
    return 2
  }
  let survived = 0
  for (const { name, what } of bugs) {
    if (names && !names.includes(name)) continue
    let finding: string | undefined
    let failure: string | undefined
    let runs = 0
    await runAll(campaign, seeds, name, (message) => {
      runs++
      if ('failure' in message) failure ??= message.failure
      else finding ??= message.report.violations[0]
      return (finding ?? failure) !== undefined
    })
    if (failure !== undefined) throw new Error(failure)
    if (finding === undefined) survived++
    console.log(`${name} (${what}): ${finding ?? 'SURVIVED'}, after ${runs} seeds`)
  }
  return survived === 0 ? 0 : 1
}

const MOST_PRINTED = 20

/** Runs the seeds on several threads, until `done` says so. */
async function runAll(
  campaign: SideName,
  { first, count, workers }: Seeds,
  bug: string | undefined,
  done: (message: FromSideWorker) => boolean,
): Promise<void> {
  const threads = Math.max(1, Math.min(workers, count))
  const seeds = Array.from({ length: count }, (_, i) => first + i)
  const started = Array.from({ length: threads }, (_, thread) => {
    const own = seeds.filter((_, i) => i % threads === thread)
    const workerData: SideWork = { campaign, seeds: own, bug }
    return new Worker(new URL('./side-worker.ts', import.meta.url), { workerData })
  })
  const stop = (): void => {
    for (const worker of started) void worker.terminate()
  }
  await Promise.all(
    started.map(
      (worker) =>
        new Promise<void>((resolve) => {
          worker.on('message', (message: FromSideWorker) => {
            if (done(message)) stop()
          })
          worker.on('error', (error) => {
            const failure = error instanceof Error ? (error.stack ?? error.message) : String(error)
            if (done({ failure })) stop()
          })
          worker.on('exit', () => resolve())
        }),
    ),
  )
}
