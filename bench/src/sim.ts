// npm run sim -- --seeds N [--seed FIRST] [--sabotage [NAME]] [--story]
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'

import { printRun, printTotals, totalsOf } from './sim/print.ts'
import { runSeeds } from './sim/pool.ts'
import { runSabotage } from './sim/sabotage-campaign.ts'
import { tellStory } from './sim/story.ts'

const USAGE = `usage: npm run sim -- [--seeds 100] [--seed 1] [--workers ${availableParallelism()}]
    [--quiet]             only totals and failures
    [--story]             run one seed (--seed) and tell everything that happens in it
    [--sabotage [NAMES]]  plant known bugs, all or those named, one after the other; each must be found`

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  // A bare --sabotage means all of them.
  const bare = args.at(args.indexOf('--sabotage') + 1)
  const given = args.includes('--sabotage') && (bare === undefined || bare.startsWith('--'))
  const { values } = parseArgs({
    args: given ? args.map((arg) => (arg === '--sabotage' ? '--sabotage=all' : arg)) : [...args],
    options: {
      seeds: { type: 'string', default: '100' },
      seed: { type: 'string', default: '1' },
      workers: { type: 'string', default: String(availableParallelism()) },
      quiet: { type: 'boolean', default: false },
      story: { type: 'boolean', default: false },
      sabotage: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(USAGE)
    return 0
  }
  const [first, count, workers] = [values.seed, values.seeds, values.workers].map(Number) as [
    number,
    number,
    number,
  ]
  if (![first, count, workers].every((value) => Number.isSafeInteger(value) && value >= 0)) {
    console.error(USAGE)
    return 2
  }
  if (values.story) return tellStory(first, values.sabotage)
  if (values.sabotage !== undefined) {
    const names = values.sabotage === 'all' ? undefined : values.sabotage.split(',')
    return runSabotage(names, { first, count, workers })
  }
  const started = performance.now()
  const reports = await runSeeds({ first, count, workers }, (report) => {
    if (!values.quiet || report.violations.length > 0) printRun(report)
  })
  return printTotals(totalsOf(reports), performance.now() - started) ? 0 : 1
}
