import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { deletions, flips, truncations, type Damage } from './damage.ts'
import { makeScene, type Scene } from './scene.ts'
import { judge, type Verdict } from './verdict.ts'

/** How much is damaged. */
export interface CampaignOptions {
  /** An empty directory. */
  readonly folder: string
  readonly flips: number
  readonly truncations: number
  readonly deletions: number
  readonly random: () => number
  /** Whether to end after the first wrong answer. */
  readonly untilWrong: boolean
  /** Called for every wrong answer, and where there is none. */
  readonly wrong: (damage: Damage, verdict: Verdict) => void
}

type Counts = Record<string, number>

/** How often each verdict was given, in all and by what was hit, and how often each code. */
export interface CampaignReport {
  readonly verdicts: Counts
  readonly byTarget: Readonly<Record<string, Counts>>
  readonly codes: Counts
}

/** Damages copies of the store of a real device, one after the other, and asks each for everything it should know. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignReport> {
  const { folder, random, wrong } = options
  const scene = await makeScene(folder)
  const report = {
    verdicts: {} as Counts,
    byTarget: {} as Record<string, Counts>,
    codes: {} as Counts,
  }
  const all = [
    ...truncations(scene, options.truncations, random),
    ...deletions(scene, options.deletions, random),
    ...flips(scene, options.flips, random),
  ]
  for (const damage of all) {
    const verdict = await suffer(damage, scene, join(folder, 'damaged'))
    if (verdict.as === 'wrong' || verdict.as === 'failed') wrong(damage, verdict)
    else if (verdict.because !== '') add(report.codes, verdict.because)
    add(report.verdicts, verdict.as)
    add((report.byTarget[`${damage.kind} in ${damage.of}`] ??= {}), verdict.as)
    if (options.untilWrong && verdict.as === 'wrong') break
  }
  return report
}

async function suffer(damage: Damage, scene: Scene, data: string): Promise<Verdict> {
  const expected = scene.history.at(damage.image === scene.closed ? 0 : -1)!
  cpSync(damage.image, data, { recursive: true })
  try {
    damage.hit(data)
    return await judge(data, scene, expected)
  } finally {
    rmSync(data, { recursive: true })
  }
}

const add = (counts: Counts, name: string): void => {
  counts[name] = (counts[name] ?? 0) + 1
}
