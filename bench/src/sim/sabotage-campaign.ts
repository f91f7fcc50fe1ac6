import { runSeeds, type Campaign } from './pool.ts'
import { sabotages } from './sabotages.ts'

/** Plants bugs, one at a time, and runs seeds until one breaks a rule. Returns the exit code: a bug that survives is a failure. */
export async function runSabotage(name: string | undefined, campaign: Campaign): Promise<number> {
  const chosen = sabotages.filter((each) => name === undefined || each.name === name)
  if (chosen.length === 0) {
    console.error(
      `no sabotage "${name}"; there are ${sabotages.map((each) => each.name).join(', ')}`,
    )
    return 2
  }
  let survivors = 0
  console.log('| planted bug | found by | after seeds |\n| --- | --- | --- |')
  for (const { name: sabotage, what } of chosen) {
    const enough = ({ violations }: { violations: readonly unknown[] }): boolean =>
      violations.length > 0
    const reports = await runSeeds({ ...campaign, sabotage, enough }, () => undefined)
    const found = reports.find(enough)
    if (!found) survivors++
    const rule = found ? found.violations[0]!.rule : '**survived**'
    const seeds = found ? found.seed - campaign.first + 1 : reports.length
    console.log(`| ${what} (\`${sabotage}\`) | ${rule} | ${seeds} |`)
    if (found?.violations[0]?.rule === 'exception')
      console.log(`<!-- ${found.violations[0].what} -->`)
  }
  return survivors > 0 ? 1 : 0
}
