import { runSeeds, type Campaign } from './pool.ts'
import { NOT_PLANTED } from './plant.ts'
import { tableHead, tableRow, writeTable, type Finding } from './sabotage-table.ts'
import { sabotages } from './sabotages.ts'

/**
 * Plants bugs, one at a time, and runs seeds until one breaks a rule. Returns the exit code: a bug that survives is a failure. When all
 * were planted, their table goes into `docs/testing.md`.
 */
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
  const findings: Finding[] = []
  console.log(tableHead)
  for (const { name, what } of chosen) {
    const enough = ({ violations }: { violations: readonly unknown[] }): boolean =>
      violations.length > 0
    const reports = await runSeeds({ ...campaign, sabotage: name, enough }, () => undefined)
    const found = reports.find(enough)
    const broken = found?.violations[0]
    const seeds = found ? found.seed - campaign.first + 1 : reports.length
    const finding = { name, what, rule: broken?.rule, seeds }
    findings.push(finding)
    console.log(tableRow(finding))
    if (broken?.what.includes(NOT_PLANTED)) {
      console.error(broken.what)
      return 1
    }
  }
  if (!names) writeTable(findings)
  return findings.every(({ rule }) => rule !== undefined) ? 0 : 1
}
