import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'

import type { Regression } from '@peerplane/testing'

const FOLDER = fileURLToPath(new URL('../../../packages/testing/src/regressions/', import.meta.url))

/** What a replay needs and answers; see `replay-worker.ts`. */
export type Replay = Regression
export type Replayed = { readonly broken: boolean; readonly failure?: string }

/**
 * Replays every kept plan with its bug planted again: it must break its rule, or it guards nothing any more. That each passes without the
 * bug is a test of its package. Returns the exit code.
 */
export async function replayRegressions(): Promise<number> {
  let lost = 0
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.json'))) {
    const regression = JSON.parse(readFileSync(`${FOLDER}${file}`, 'utf8')) as Regression
    if (regression.sabotage === undefined) continue
    const { broken, failure } = await replay(regression)
    if (!broken) lost++
    const verdict = broken ? `breaks ${regression.rule}` : `**${failure ?? 'breaks nothing'}**`
    console.log(`${file}: ${regression.plan.steps.length} steps, with its bug: ${verdict}`)
  }
  return lost > 0 ? 1 : 0
}

function replay(workerData: Replay): Promise<Replayed> {
  const worker = new Worker(new URL('./replay-worker.ts', import.meta.url), { workerData })
  return new Promise((resolve) => {
    worker.once('message', (replayed: Replayed) => {
      resolve(replayed)
      void worker.terminate()
    })
    worker.once('error', (error) => resolve({ broken: false, failure: String(error) }))
  })
}
