import { parentPort, workerData } from 'node:worker_threads'

import { plantChanges } from './plant.ts'
import type { FromSideWorker, SideWork } from './side-campaign.ts'
import { writersBugs } from './writers-bugs.ts'

const { seeds, bug } = workerData as SideWork
const chosen = writersBugs.find(({ name }) => name === bug)
const planted = chosen && plantChanges(chosen.name, chosen.changes)
const { runWriters } = await import('@peerplane/testing/campaign')
// Errors are made by the thousand, as answers; their stacks would cost more than they.
Error.stackTraceLimit = 0

const answer = (message: FromSideWorker): void => parentPort!.postMessage(message)
for (const seed of seeds) {
  try {
    const { virtualMs, violations, ...rest } = await runWriters(seed)
    const counts = {
      'commands acknowledged as synced': rest.acknowledged,
      faults: rest.faults,
      'entities with a conflict in the end': rest.conflicts,
      'choices that ended branches': rest.choices,
    }
    answer({ report: { seed, virtualMs, violations, counts } })
  } catch (error) {
    const failure = error instanceof Error ? (error.stack ?? error.message) : String(error)
    answer({ failure: `seed ${seed}: ${failure}` })
  }
}
planted?.assertUsed()
