import { plant } from './plant.ts'
import { printRun } from './print.ts'

/** Runs one seed and tells what happens in it. */
export async function tellStory(seed: number, sabotage: string | undefined): Promise<number> {
  if (sabotage !== undefined) plant(sabotage)
  const { runSeed } = await import('@peerplane/testing')
  const report = await runSeed(seed, {
    log: (timeMs, what) => console.log(`${timeMs.toFixed(1).padStart(10)}  ${what}`),
  })
  printRun(report)
  return report.violations.length > 0 ? 1 : 0
}
