import { parentPort, workerData } from 'node:worker_threads'

import { plant } from './plant.ts'
import { WORLDS, type Replay, type Replayed } from './regressions.ts'

const { sabotage, plan, rule } = workerData as Replay
const planted = sabotage === undefined ? undefined : plant(sabotage)
// Loaded after planting: the bug has to be in the modules that are run.
const { breaks } = await import('@peerplane/testing/campaign')
let tried = 0
let broken = false
while (!broken && tried < WORLDS)
  broken = await breaks({ ...plan, seed: plan.seed + tried++ }, rule)
planted?.assertUsed()
const replayed: Replayed = { broken, tried }
parentPort!.postMessage(replayed)
