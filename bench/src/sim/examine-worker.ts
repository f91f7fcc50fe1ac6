import { parentPort, workerData } from 'node:worker_threads'

import type { ExaminationThread } from './examine.ts'
import { plant } from './plant.ts'

const { examination, kept } = workerData as ExaminationThread
const { sabotage } = examination
const planted = sabotage === undefined ? undefined : plant(sabotage)
// Loaded after planting: the bug has to be in the modules that are run.
const { look } = await import('./look.ts')
const code = await look(examination, kept)
planted?.assertUsed()
parentPort!.postMessage(code)
