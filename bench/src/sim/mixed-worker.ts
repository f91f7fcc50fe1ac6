import { parentPort, workerData } from 'node:worker_threads'

import type { MixedReport } from '@peerplane/testing/campaign'

import { mixedBugs } from './mixed-bugs.ts'
import { plantNextBuild, QUERY } from './next-build.ts'
import { plantChanges } from './plant.ts'

/** What a worker is started with: its seeds, and the name of a bug to plant in the older build. */
export interface MixedWork {
  readonly seeds: readonly number[]
  readonly bug: string | undefined
}

export type FromMixedWorker = { readonly report: MixedReport } | { readonly failure: string }

const { seeds, bug } = workerData as MixedWork
const next = plantNextBuild()
const planted = [next.planted]
const chosen = mixedBugs.find(({ name }) => name === bug)
for (const query of chosen ? ['', ...(chosen.inBoth ? [QUERY] : [])] : []) {
  planted.push(plantChanges(chosen!.name, chosen!.changes, query))
}
const { runMixed } = await import('@peerplane/testing/campaign')
const build = await next.load()
// Errors are made by the thousand, as answers; their stacks would cost more than they.
Error.stackTraceLimit = 0

const answer = (message: FromMixedWorker): void => parentPort!.postMessage(message)
for (const seed of seeds) {
  try {
    answer({ report: await runMixed(seed, build) })
  } catch (error) {
    const failure = error instanceof Error ? (error.stack ?? error.message) : String(error)
    answer({ failure: `seed ${seed}: ${failure}` })
  }
}
for (const each of planted) each.assertUsed()
