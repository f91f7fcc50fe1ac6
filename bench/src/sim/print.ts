import type { FaultCounts, RunReport } from '@peerplane/testing/campaign'

import type { Examination } from './examine.ts'

/** Sums over a campaign. */
export interface Totals {
  readonly runs: number
  readonly failed: readonly RunReport[]
  readonly commits: number
  readonly commands: number
  readonly retries: number
  readonly faults: FaultCounts
  readonly overtook: number
  readonly runsWithoutOvertaking: number
  /** The most sessions that one device wrote in a run. */
  readonly sessions: number
  /** Sessions that hostile members forked. */
  readonly forks: number
  /** The most commits that waited on one device. */
  readonly mostWaiting: number
  /** How often the product was sent down each of its rare ways. */
  readonly perturbed: ReadonlyMap<string, number>
  readonly realSignatures: number
  readonly frames: number
  readonly virtualMs: number
  readonly slowestConvergence: RunReport | undefined
}

export function totalsOf(reports: readonly RunReport[]): Totals {
  const faults: FaultCounts = {}
  for (const report of reports) {
    for (const [kind, count] of Object.entries(report.faults) as [keyof FaultCounts, number][]) {
      faults[kind] = (faults[kind] ?? 0) + count
    }
  }
  const perturbed = new Map<string, number>()
  for (const report of reports) {
    for (const [point, count] of Object.entries(report.perturbed)) {
      perturbed.set(point, (perturbed.get(point) ?? 0) + count)
    }
  }
  const sum = (value: (report: RunReport) => number): number =>
    reports.reduce((total, report) => total + value(report), 0)
  const most = (value: (report: RunReport) => number): number =>
    reports.reduce((top, report) => Math.max(top, value(report)), 0)
  return {
    runs: reports.length,
    failed: reports.filter(({ violations }) => violations.length > 0),
    commits: sum(({ workload }) => workload.acknowledged),
    commands: sum(({ workload }) => workload.commands),
    retries: sum(({ workload }) => workload.retries),
    faults,
    overtook: sum(({ overtook }) => overtook),
    runsWithoutOvertaking: reports.filter(({ overtook }) => overtook === 0).length,
    sessions: most(({ workload }) => workload.sessions),
    forks: sum(({ forks }) => forks),
    mostWaiting: most(({ mostWaiting }) => mostWaiting),
    perturbed,
    realSignatures: reports.filter(({ webCrypto }) => webCrypto).length,
    frames: sum(({ frames }) => frames),
    virtualMs: sum(({ virtualMs }) => virtualMs),
    slowestConvergence: reports.toSorted((a, b) => b.convergedMs - a.convergedMs)[0],
  }
}

/** What a run comes from, besides its seed. */
type Origin = Pick<Examination, 'scenario' | 'plan' | 'sabotage'>

/** One line per run, and what is wrong with it. */
export function printRun(report: RunReport, origin: Origin): void {
  const { seed, devices, workload, faults, overtook, frames, virtualMs, convergedMs } = report
  console.log(
    `seed ${seed}: ${devices} devices, ${workload.acknowledged} commits, ${sumOf(Object.values(faults))} faults, ` +
      `${overtook} had to wait, ${frames} frames, ${seconds(virtualMs)} virtual, equal after ${seconds(convergedMs)}, digest ${report.digest}`,
  )
  for (const { rule, where, what } of report.violations.slice(0, 5)) {
    console.log(`  ${rule} broken at ${where}: ${what}`)
  }
  if (report.violations.length > 0) {
    console.log(`  replay: ${replayText({ ...origin, seed, shrink: true })}`)
  }
}

/** The command that does the same run again. */
export function replayText({
  seed,
  shrink,
  scenario,
  plan,
  sabotage,
}: Origin & Pick<Examination, 'seed' | 'shrink'>): string {
  const named = scenario === 'everything' ? '' : ` --scenario ${scenario}`
  const run = plan === undefined ? `--seed ${seed}${named}` : `--plan ${plan}`
  const bug = sabotage === undefined ? '' : ` --sabotage ${sabotage}`
  // A plan alone prints its story anyway; a seed alone would begin a campaign.
  const how = shrink ? '--shrink ' : plan === undefined ? '--story ' : ''
  return `npm run sim -- ${how}${run}${bug}`
}

/** The sums; says whether the campaign is clean and has tested something. */
export function printTotals(totals: Totals, realMs: number): boolean {
  const { runs, failed, slowestConvergence } = totals
  console.log(`
runs          ${runs}, ${failed.length} with a violation${failed.length > 0 ? `: seeds ${failed.map(({ seed }) => seed).join(', ')}` : ''}
commits       ${totals.commits} acknowledged of ${totals.commands} commands, ${totals.retries} retried
waited        ${totals.overtook} deliveries came before a cause; none in ${totals.runsWithoutOvertaking} runs
sessions      at most ${totals.sessions} of one device in a run; ${totals.forks} forked by hostile members
waiting room  at most ${totals.mostWaiting} commits
faults        ${sumOf(Object.values(totals.faults))}
${lines(Object.entries(totals.faults))}
rare ways     ${sumOf(totals.perturbed.values())}
${lines(totals.perturbed)}
network       ${totals.frames} frames
signatures    real in ${totals.realSignatures} runs
virtual time  ${(totals.virtualMs / 3_600_000).toFixed(1)} hours; slowest to become equal: seed ${slowestConvergence?.seed ?? '-'}, ${seconds(slowestConvergence?.convergedMs ?? 0)}
real time     ${seconds(realMs)}, ${(runs / (realMs / 1000)).toFixed(1)} schedules per second`)
  const untested = refusalsOf(totals)
  for (const each of untested) console.log(`\nfailed: ${each}`)
  return failed.length === 0 && untested.length === 0
}

/** From this number of runs on, every rare way must have been taken. */
const ALL_WAYS_RUNS = 100

/** Why a campaign says nothing although no rule was broken. */
export function refusalsOf(
  totals: Pick<Totals, 'runs' | 'commits' | 'overtook' | 'perturbed'>,
): string[] {
  const { runs, commits, overtook, perturbed } = totals
  if (runs === 0 || commits === 0) return ['nothing was run']
  const missed = [...perturbed].filter(([, count]) => count === 0).map(([point]) => point)
  return [
    ...(overtook === 0 ? ['nothing was ever reordered, so causal delivery was not tested'] : []),
    ...(runs >= ALL_WAYS_RUNS && missed.length > 0 ? [`never taken: ${missed.join(', ')}`] : []),
  ]
}

const sumOf = (counts: Iterable<number>): number =>
  [...counts].reduce((sum, count) => sum + count, 0)

const lines = (counts: Iterable<readonly [string, number]>): string =>
  [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, count]) => `  ${name.padEnd(18)}${count}`)
    .join('\n')

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
