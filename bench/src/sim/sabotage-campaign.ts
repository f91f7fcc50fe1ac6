import { runSeeds, type Campaign } from './pool.ts'
import { NOT_PLANTED } from './plant.ts'
import { sabotages } from './sabotages.ts'

/** Plants bugs, one at a time, and runs seeds until one breaks a rule. Returns the exit code: a bug that survives is a failure. */
export async function runSabotage(
  names: readonly string[] | undefined,
  campaign: Campaign,
): Promise<number> {
  const chosen = sabotages.filter((each) => !names || names.includes(each.name))
  if (chosen.length === 0) {
    console.error(
      `no sabotage "${names?.join()}"; there are ${sabotages.map((each) => each.name).join(', ')}`,
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
    const broken = found?.violations[0]
    if (!broken) survivors++
    const seeds = found ? found.seed - campaign.first + 1 : reports.length
    console.log(`| ${what} (\`${sabotage}\`) | ${broken?.rule ?? '**survived**'} | ${seeds} |`)
    if (broken?.what.includes(NOT_PLANTED)) {
      console.error(broken.what)
      return 1
    }
  }
  return survivors > 0 ? 1 : 0
}
