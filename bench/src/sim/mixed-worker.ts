import { parentPort, workerData } from 'node:worker_threads'

import { mixedBugs } from './mixed-bugs.ts'
import { plantNextBuild, QUERY } from './next-build.ts'
import { plantChanges } from './plant.ts'
import type { FromSideWorker, SideWork } from './side-campaign.ts'

const { seeds, bug } = workerData as SideWork
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

const answer = (message: FromSideWorker): void => parentPort!.postMessage(message)
for (const seed of seeds) {
  try {
    const { virtualMs, violations, ...rest } = await runMixed(seed, build)
    const counts = {
      'commands acknowledged as synced': rest.acknowledged,
      faults: rest.faults,
      'sections without effect on the older build': rest.hidden,
      'messages of an unknown kind': rest.said,
      'sessions forked': rest.forks,
    }
    answer({ report: { seed, virtualMs, violations, counts } })
  } catch (error) {
    const failure = error instanceof Error ? (error.stack ?? error.message) : String(error)
    answer({ failure: `seed ${seed}: ${failure}` })
  }
}
for (const each of planted) each.assertUsed()
