import { Worker } from 'node:worker_threads'

import type { MixedReport } from '@peerplane/testing/campaign'

import { mixedBugs } from './mixed-bugs.ts'
import type { FromMixedWorker, MixedWork } from './mixed-worker.ts'

/** Which seeds to run with two builds. */
export interface MixedCampaign {
  readonly first: number
  readonly count: number
  readonly workers: number
}

/** Runs seeds in which two builds edit together, and prints what they did. Returns the exit code. */
export async function runMixedCampaign(campaign: MixedCampaign): Promise<number> {
  const started = performance.now()
  const reports: MixedReport[] = []
  const failures: string[] = []
  await runAll(campaign, undefined, (message) => {
    if ('failure' in message) failures.push(message.failure)
    else reports.push(message.report)
    return false
  })
  for (const { seed, violations } of reports) {
    for (const violation of violations) failures.push(`seed ${seed}: ${violation}`)
  }
  for (const failure of failures.slice(0, MOST_PRINTED)) console.log(failure)
  const sum = (value: (report: MixedReport) => number): number =>
    reports.reduce((total, report) => total + value(report), 0)
  const broken = reports.filter(({ violations }) => violations.length > 0).length
  const rows = [
    ['runs with two builds', `${reports.length}, ${broken} with a violation`],
    ['commands acknowledged as synced', sum(({ acknowledged }) => acknowledged)],
    ['faults', sum(({ faults }) => faults)],
    ['sections without effect on the older build', sum(({ hidden }) => hidden)],
    ['messages of an unknown kind', sum(({ said }) => said)],
    ['sessions forked', sum(({ forks }) => forks)],
    ['virtual hours', (sum(({ virtualMs }) => virtualMs) / 3_600_000).toFixed(1)],
    ['seconds', ((performance.now() - started) / 1000).toFixed(0)],
  ]
  for (const [name, value] of rows) console.log(`${String(name).padEnd(44)}${value}`)
  return failures.length === 0 && reports.length === campaign.count ? 0 : 1
}

/** Plants bugs of the older build, all or those named, one at a time. Returns the exit code: a bug that survives is a failure. */
export async function runMixedBugs(
  names: readonly string[] | undefined,
  campaign: MixedCampaign,
): Promise<number> {
  let survived = 0
  for (const { name, what } of mixedBugs) {
    if (names && !names.includes(name)) continue
    let finding: string | undefined
    let failure: string | undefined
    let seeds = 0
    await runAll(campaign, name, (message) => {
      seeds++
      if ('failure' in message) failure ??= message.failure
      else finding ??= message.report.violations[0]
      return (finding ?? failure) !== undefined
    })
    if (failure !== undefined) throw new Error(failure)
    if (finding === undefined) survived++
    console.log(`${name} (${what}): ${finding ?? 'SURVIVED'}, after ${seeds} seeds`)
  }
  return survived === 0 ? 0 : 1
}

const MOST_PRINTED = 20

/** Runs the seeds on several threads, until `done` says so. */
async function runAll(
  { first, count, workers }: MixedCampaign,
  bug: string | undefined,
  done: (message: FromMixedWorker) => boolean,
): Promise<void> {
  const threads = Math.max(1, Math.min(workers, count))
  const seeds = Array.from({ length: count }, (_, i) => first + i)
  const started = Array.from({ length: threads }, (_, thread) => {
    const workerData: MixedWork = { seeds: seeds.filter((_, i) => i % threads === thread), bug }
    return new Worker(new URL('./mixed-worker.ts', import.meta.url), { workerData })
  })
  const stop = (): void => {
    for (const worker of started) void worker.terminate()
  }
  await Promise.all(
    started.map(
      (worker) =>
        new Promise<void>((resolve) => {
          worker.on('message', (message: FromMixedWorker) => {
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
