import { parentPort, workerData } from 'node:worker_threads'

import type { RunReport } from '@peerplane/testing'

import { plant } from './plant.ts'

export interface ToWorker {
  readonly seed: number
}

export type FromWorker = { readonly report: RunReport } | { readonly failure: string }

const { sabotage } = workerData as { readonly sabotage: string | undefined }
const planted = sabotage === undefined ? undefined : plant(sabotage)
// Loaded after planting: the bug has to be in the modules that are run.
const { runSeed } = await import('@peerplane/testing')
const answer = (message: FromWorker): void => parentPort!.postMessage(message)

let stray: unknown
process.on('unhandledRejection', (error) => {
  stray ??= error
})

parentPort!.on('message', ({ seed }: ToWorker) => {
  stray = undefined
  runSeed(seed).then(
    (report) => {
      planted?.assertUsed()
      if (stray === undefined) answer({ report })
      else answer({ failure: `a rejected promise that nobody handled: ${describe(stray)}` })
    },
    (error: unknown) => answer({ failure: describe(error) }),
  )
})

const describe = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error)
