import { Worker } from 'node:worker_threads'

import { evolveBugs } from './evolve-bugs.ts'
import { mixedBugs } from './mixed-bugs.ts'
import type { Sabotage } from './sabotages.ts'
import { writersBugs } from './writers-bugs.ts'

/** Which seeds to run. */
export interface Seeds {
  readonly first: number
  readonly count: number
  readonly workers: number
}

/** What the workers of a side campaign are started with: their seeds, and the name of a bug to plant. */
export interface SideWork {
  readonly seeds: readonly number[]
  readonly bug: string | undefined
}

/** The report of one run; `counts` are added up. */
interface SideReport {
  readonly seed: number
  readonly virtualMs: number
  readonly violations: readonly string[]
  readonly counts: { readonly [what: string]: number }
}

export type FromSideWorker = { readonly report: SideReport } | { readonly failure: string }

/** A campaign whose runs differ so much from the general ones that it has a worker and bugs of its own. */
interface SideCampaign {
  readonly what: string
  readonly worker: URL
  readonly bugs: readonly Sabotage[]
}

/** The side campaigns, by the option of `npm run sim` that runs them. */
export const sideCampaigns = {
  mixed: {
    what: 'runs with two builds',
    worker: new URL('./mixed-worker.ts', import.meta.url),
    bugs: mixedBugs,
  },
  evolve: {
    what: 'runs with two versions of an app',
    worker: new URL('./evolve-worker.ts', import.meta.url),
    bugs: evolveBugs,
  },
  writers: {
    what: 'runs with single writers',
    worker: new URL('./writers-worker.ts', import.meta.url),
    bugs: writersBugs,
  },
} satisfies { readonly [option: string]: SideCampaign }

/** Runs seeds, and prints what happened in them. Returns the exit code. */
export async function runSideCampaign(campaign: SideCampaign, seeds: Seeds): Promise<number> {
  const started = performance.now()
  const reports: SideReport[] = []
  const failures: string[] = []
  await runAll(campaign, seeds, undefined, (message) => {
    if ('failure' in message) failures.push(message.failure)
    else reports.push(message.report)
    return false
  })
  for (const { seed, violations } of reports) {
    for (const violation of violations) failures.push(`seed ${seed}: ${violation}`)
  }
  for (const failure of failures.slice(0, MOST_PRINTED)) console.log(failure)
  const broken = reports.filter(({ violations }) => violations.length > 0).length
  const sum = (value: (report: SideReport) => number): number =>
    reports.reduce((total, report) => total + value(report), 0)
  const rows = [
    [campaign.what, `${reports.length}, ${broken} with a violation`],
    ...Object.keys(reports[0]?.counts ?? {}).map((what) => [
      what,
      sum(({ counts }) => counts[what]!),
    ]),
    ['virtual hours', (sum(({ virtualMs }) => virtualMs) / 3_600_000).toFixed(1)],
    ['seconds', ((performance.now() - started) / 1000).toFixed(0)],
  ]
  for (const [name, value] of rows) console.log(`${String(name).padEnd(44)}${value}`)
  return failures.length === 0 && reports.length === seeds.count ? 0 : 1
}

/** Plants the bugs of a campaign, all or those named, one at a time. Returns the exit code: a bug that survives is a failure. */
export async function runSideBugs(
  campaign: SideCampaign,
  seeds: Seeds,
  names: readonly string[] | undefined,
): Promise<number> {
  let survived = 0
  for (const { name, what } of campaign.bugs) {
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
  campaign: SideCampaign,
  { first, count, workers }: Seeds,
  bug: string | undefined,
  done: (message: FromSideWorker) => boolean,
): Promise<void> {
  const threads = Math.max(1, Math.min(workers, count))
  const seeds = Array.from({ length: count }, (_, i) => first + i)
  const started = Array.from({ length: threads }, (_, thread) => {
    const workerData: SideWork = { seeds: seeds.filter((_, i) => i % threads === thread), bug }
    return new Worker(campaign.worker, { workerData })
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
