import { parentPort, workerData } from 'node:worker_threads'

import { plantNextBuild, QUERY } from './next-build.ts'
import { plantChanges, type Planted } from './plant.ts'
import {
  sideCampaigns,
  type FromSideWorker,
  type SideName,
  type SideResult,
  type SideWork,
} from './side-campaign.ts'

const { campaign, seeds, bug } = workerData as SideWork
const next = campaign === 'mixed' ? plantNextBuild() : undefined
const planted: Planted[] = next ? [next.planted] : []
const chosen = sideCampaigns[campaign].bugs.find(({ name }) => name === bug)
if (chosen) {
  for (const query of chosen.inBoth ? ['', QUERY] : ['']) {
    planted.push(plantChanges(chosen.name, chosen.changes, query))
  }
}
// Loaded after planting: the bug has to be in the modules that are run.
const { runDeletions, runEvolve, runMixed, runWriters } =
  await import('@peerplane/testing/campaign')
const build = await next?.load()
// Errors are made by the thousand, as answers; their stacks would cost more than they.
Error.stackTraceLimit = 0

const runs: Record<SideName, (seed: number) => Promise<SideResult>> = {
  mixed: async (seed) => {
    const report = await runMixed(seed, build!)
    const counts = {
      'sections without effect on the older build': report.hidden,
      'messages of an unknown kind': report.said,
      'sessions forked': report.forks,
    }
    return { report, counts }
  },
  evolve: async (seed) => {
    const report = await runEvolve(seed)
    return { report, counts: { 'changes of the version of a device': report.updates } }
  },
  deletions: async (seed) => {
    const report = await runDeletions(seed)
    const counts = {
      'commands that deleted an entity': report.deletions,
      'entities that did not exist in the end': report.deleted,
    }
    return { report, counts }
  },
  writers: async (seed) => {
    const report = await runWriters(seed)
    const counts = {
      'entities with a conflict in the end': report.conflicts,
      'choices that ended branches': report.choices,
    }
    return { report, counts }
  },
}

const answer = (message: FromSideWorker): void => parentPort!.postMessage(message)
for (const seed of seeds) {
  try {
    answer(await runs[campaign](seed))
  } catch (error) {
    const failure = error instanceof Error ? (error.stack ?? error.message) : String(error)
    answer({ failure: `seed ${seed}: ${failure}` })
  }
}
for (const each of planted) each.assertUsed()
