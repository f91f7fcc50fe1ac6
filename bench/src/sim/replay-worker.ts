import { parentPort, workerData } from 'node:worker_threads'

import { plant } from './plant.ts'
import type { Replay, Replayed } from './regressions.ts'

const { sabotage, plan, rule } = workerData as Replay
const planted = sabotage === undefined ? undefined : plant(sabotage)
// Loaded after planting: the bug has to be in the modules that are run.
const { breaks } = await import('@peerplane/testing')
const broken = await breaks(plan, rule)
planted?.assertUsed()
const replayed: Replayed = { broken }
parentPort!.postMessage(replayed)
