import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'

import type { Regression } from '@peerplane/testing/campaign'

const FOLDER = fileURLToPath(new URL('../../../packages/testing/src/regressions/', import.meta.url))

/**
 * Worlds in which a plan is tried. A plan leaves latencies, keys and which write of a bad disk fails to the random streams of its seed, and one
 * message more or less of the product moves them all. So the steps are what is kept, and a seed is one world to take them in.
 */
export const WORLDS = 300

/** What a replay needs and answers; see `replay-worker.ts`. */
export type Replay = Regression
export type Replayed =
  | { readonly broken: boolean; readonly tried: number }
  | { readonly failure: string }

/**
 * Replays every kept plan with its bug planted again: it must break its rule, or it no longer guards anything. That each passes without the
 * bug is a test of its package. Returns the exit code.
 */
export async function replayRegressions(): Promise<number> {
  let lost = 0
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.json'))) {
    const regression = JSON.parse(readFileSync(`${FOLDER}${file}`, 'utf8')) as Regression
    if (regression.sabotage === undefined) continue
    const replayed = await replay(regression)
    const broken = 'broken' in replayed && replayed.broken
    if (!broken) lost++
    console.log(
      `${file}: ${regression.plan.steps.length} steps, with its bug: ${verdict(replayed, regression)}`,
    )
  }
  return lost > 0 ? 1 : 0
}

function verdict(replayed: Replayed, { rule }: Regression): string {
  if ('failure' in replayed) return `**${replayed.failure}**`
  const { broken, tried } = replayed
  return broken ? `breaks ${rule} in world ${tried}` : `**breaks nothing in ${tried} worlds**`
}

function replay(workerData: Replay): Promise<Replayed> {
  const worker = new Worker(new URL('./replay-worker.ts', import.meta.url), { workerData })
  return new Promise((resolve) => {
    worker.once('message', (replayed: Replayed) => {
      resolve(replayed)
      void worker.terminate()
    })
    worker.once('error', (error) => resolve({ failure: String(error) }))
  })
}
