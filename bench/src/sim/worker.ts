import { parentPort, workerData } from 'node:worker_threads'

import type { RunReport, ScenarioName } from '@peerplane/testing/campaign'

import { plant } from './plant.ts'

/** What a worker is started with. */
export interface WorkerSettings {
  readonly sabotage: string | undefined
  readonly scenario: ScenarioName | undefined
}

export interface ToWorker {
  readonly seed: number
}

export type FromWorker = { readonly report: RunReport } | { readonly failure: string }

const { sabotage, scenario: name } = workerData as WorkerSettings
const planted = sabotage === undefined ? undefined : plant(sabotage)
// Loaded after planting: the bug has to be in the modules that are run.
const { runSeed, scenarios } = await import('@peerplane/testing/campaign')
const scenario = scenarios[name ?? 'everything']
// Errors are made by the thousand, as answers; their stacks would cost more than they.
Error.stackTraceLimit = 0
const answer = (message: FromWorker): void => parentPort!.postMessage(message)

let stray: unknown
process.on('unhandledRejection', (error) => {
  stray ??= error
})

parentPort!.on('message', ({ seed }: ToWorker) => {
  stray = undefined
  runSeed(seed, { scenario }).then(
    async (report) => {
      // Node reports unhandled rejections once the simulation releases the thread.
      await new Promise((resolve) => setImmediate(resolve))
      planted?.assertUsed()
      if (stray === undefined) answer({ report })
      else answer({ failure: `a rejected promise that nobody handled: ${describe(stray)}` })
    },
    (error: unknown) => answer({ failure: describe(error) }),
  )
})

const describe = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error)
