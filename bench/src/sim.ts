// npm run sim -- --seeds N [--seed FIRST] [--sabotage [NAME]]; one run: --seed N [--story] [--shrink] [--report FILE]
// It is started with --single-threaded-gc: where every core has a run of its own, threads that collect garbage beside them take their time.
import { availableParallelism } from 'node:os'

import type { Rule, ScenarioName } from '@peerplane/testing/campaign'

import { readArguments } from './arguments.ts'
import { examine } from './sim/examine.ts'
import { printRun, printTotals, totalsOf } from './sim/print.ts'
import { runSeeds } from './sim/pool.ts'
import { replayRegressions } from './sim/regressions.ts'
import { runSabotage } from './sim/sabotage-campaign.ts'
import { runSideBugs, runSideCampaign, sideNames } from './sim/side-campaign.ts'

/** Loads the simulator, which must not happen before a bug is planted in it. */
async function usage(): Promise<string> {
  const { scenarios } = await import('@peerplane/testing/campaign')
  return `usage: npm run sim -- [--seeds 100] [--seed 1] [--workers ${availableParallelism()}]
    [--scenario NAME]     what happens in the runs:
${Object.entries(scenarios)
  .map(([name, { what }]) => `                            ${name.padEnd(12)}${what}`)
  .join('\n')}
    [--quiet]             only totals and failures
    [--story]             run one seed (--seed) and tell everything that happens in it
    [--shrink]            make one run (--seed) as small as it can be while it breaks the same rule, and tell it
    [--report FILE]       write a page about one run
    [--save FILE]         keep its plan, [--because "SENTENCE"] with a reason
    [--plan FILE]         run a plan that was kept, instead of a seed
    [--mixed]             run two builds together, of which one knows more; with --sabotage, plant bugs in the older one
    [--evolve]            run two versions of an app together, of which one has migrations; also with --sabotage
    [--writers]           run entities with a single writer, on devices that are cloned and restored; also with --sabotage
    [--deletions]         run entities that are deleted and created again; also with --sabotage
    [--regressions]       plant the bug of every kept plan again; each must break its rule
    [--sabotage [NAMES]]  plant known bugs, all or those named, one after the other; each must be found`
}

/** An exception may stand for a run that never ends; what was too little does not get better by less. */
const NOT_SHRUNK: ReadonlySet<Rule> = new Set<Rule>(['exception', 'workload'])

/** What a shell reports of a command that is ended by SIGPIPE: it did not come to its end, and that is no error of its own. */
const NOBODY_READS = 141

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(NOBODY_READS)
})

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  // A bare --sabotage means all of them.
  const bare = args.at(args.indexOf('--sabotage') + 1)
  const given = args.includes('--sabotage') && (bare === undefined || bare.startsWith('--'))
  const { values } = await readArguments(usage, {
    args: given ? args.map((arg) => (arg === '--sabotage' ? '--sabotage=all' : arg)) : [...args],
    options: {
      seeds: { type: 'string', default: '100' },
      seed: { type: 'string', default: '1' },
      workers: { type: 'string', default: String(availableParallelism()) },
      scenario: { type: 'string', default: 'everything' },
      quiet: { type: 'boolean', default: false },
      story: { type: 'boolean', default: false },
      shrink: { type: 'boolean', default: false },
      report: { type: 'string' },
      plan: { type: 'string' },
      save: { type: 'string' },
      because: { type: 'string' },
      mixed: { type: 'boolean', default: false },
      evolve: { type: 'boolean', default: false },
      writers: { type: 'boolean', default: false },
      deletions: { type: 'boolean', default: false },
      regressions: { type: 'boolean', default: false },
      sabotage: { type: 'string' },
    },
  })
  const [first, count, workers] = [values.seed, values.seeds, values.workers].map(Number) as [
    number,
    number,
    number,
  ]
  const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0
  if (![first, count, workers].every(isCount)) {
    console.error(await usage())
    return 2
  }
  const { scenarios } = await import('@peerplane/testing/campaign')
  const isScenario = (name: string): name is ScenarioName => Object.hasOwn(scenarios, name)
  const { scenario } = values
  if (!isScenario(scenario)) {
    console.error(await usage())
    return 2
  }
  const side = sideNames.find((name) => values[name])
  if (side) {
    const seeds = { first, count, workers }
    if (values.sabotage === undefined) return runSideCampaign(side, seeds)
    return runSideBugs(side, seeds, named(values.sabotage))
  }
  if (values.regressions) return replayRegressions()
  const { story, shrink, report, plan, save, because, sabotage } = values
  if (story || shrink || [report, plan, save].some((file) => file !== undefined))
    return examine({ seed: first, scenario, story, shrink, report, plan, save, because, sabotage })
  if (values.sabotage !== undefined) {
    return runSabotage(named(values.sabotage), { first, count, workers, scenario })
  }
  const started = performance.now()
  const reports = await runSeeds({ first, count, workers, scenario }, (report) => {
    if (!values.quiet || report.violations.length > 0) printRun(report, { scenario })
  })
  const totals = totalsOf(reports)
  const clean = printTotals(totals, performance.now() - started)
  const failed = totals.failed.find(({ violations }) => !NOT_SHRUNK.has(violations[0]!.rule))
  if (failed) {
    console.log(`\nthe smallest run like seed ${failed.seed}:\n`)
    await examine({ seed: failed.seed, scenario, shrink: true })
  }
  return clean ? 0 : 1
}

/** The names of bugs; `undefined` for all. */
function named(names: string): readonly string[] | undefined {
  return names === 'all' ? undefined : names.split(',')
}
