import { Worker } from 'node:worker_threads'

import type { RunReport, ScenarioName } from '@peerplane/testing/campaign'

import type { FromWorker, ToWorker, WorkerSettings } from './worker.ts'

/** Which seeds to run, and how. */
export interface Campaign {
  readonly first: number
  readonly count: number
  readonly workers: number
  /** Default: everything. */
  readonly scenario?: ScenarioName | undefined
  /** Name of a bug to plant. */
  readonly sabotage?: string | undefined
  /** Ends the campaign early once it says so. */
  readonly enough?: (report: RunReport) => boolean
}

/** Real time that one run may take: a run that never ends is a finding too, milliseconds. */
const LONGEST_MS = 60_000

/** Runs consecutive seeds on several threads; `done` is called with each report in the order in which they finish. Returns the reports by seed. */
export async function runSeeds(
  campaign: Campaign,
  done: (report: RunReport) => void,
): Promise<readonly RunReport[]> {
  const reports: RunReport[] = []
  let next = campaign.first
  const end = campaign.first + campaign.count
  const take = (): number | undefined => (next < end ? next++ : undefined)
  const finish = (report: RunReport): void => {
    reports.push(report)
    done(report)
    if (campaign.enough?.(report)) next = end
  }
  const threads = Math.max(1, Math.min(campaign.workers, campaign.count))
  await Promise.all(Array.from({ length: threads }, () => work(campaign, take, finish)))
  return reports.sort((a, b) => a.seed - b.seed)
}

/** Keeps one thread busy; a thread that hangs or dies is replaced. */
async function work(
  { sabotage, scenario }: Pick<Campaign, 'sabotage' | 'scenario'>,
  take: () => number | undefined,
  finish: (report: RunReport) => void,
): Promise<void> {
  let worker: Worker | undefined
  for (let seed = take(); seed !== undefined; seed = take()) {
    worker ??= new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: { sabotage, scenario } satisfies WorkerSettings,
    })
    const answer = await ask(worker, { seed })
    if ('failure' in answer) {
      await worker.terminate()
      worker = undefined
      finish(failed(seed, answer.failure))
    } else finish(answer.report)
  }
  await worker?.terminate()
}

function ask(worker: Worker, question: ToWorker): Promise<FromWorker> {
  return new Promise((resolve) => {
    const settle = (answer: FromWorker): void => {
      clearTimeout(timer)
      worker.off('message', settle)
      worker.off('error', fail)
      resolve(answer)
    }
    const fail = (error: unknown): void => {
      settle({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
    const timer = setTimeout(() => fail(`no end after ${LONGEST_MS} ms`), LONGEST_MS)
    worker.on('message', settle)
    worker.on('error', fail)
    worker.postMessage(question)
  })
}

function failed(seed: number, what: string): RunReport {
  return {
    seed,
    devices: 0,
    workload: { commands: 0, acknowledged: 0, failed: 0, retries: 0, atomic: 0, sessions: 0 },
    faults: {},
    overtook: 0,
    forks: 0,
    mostWaiting: 0,
    perturbed: {},
    webCrypto: false,
    frames: 0,
    bytes: 0,
    virtualMs: 0,
    convergedMs: 0,
    events: 0,
    digest: '',
    violations: [{ rule: 'exception', where: 'run', what }],
  }
}
