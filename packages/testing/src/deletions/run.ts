import type { EntityKey, Json } from '@peerplane/core'

import { planRareWays } from '../plan/generate.ts'
import type { CommandWork } from '../plan/plan.ts'
import type { Script } from '../plan/script.ts'
import type { SimDevice } from '../fleet/device.ts'
import {
  drawSetting,
  improviseSide,
  losslessFaults,
  SideRun,
  type SideCampaign,
  type SideReport,
  type SideSetting,
} from '../side/run.ts'
import { SimRandom } from '../world/random.ts'
import { composeDeletion, deletableEntities, deletableKeys, knownKey } from './entities.ts'
import { Lives, type Lived } from './lives.ts'

/** The report of one run in which entities are deleted and created again. */
export interface DeletionsReport extends SideReport {
  /** Entities that did not exist in the end. */
  readonly deleted: number
  /** Commands that deleted an entity, or created it again. */
  readonly deletions: number
}

/**
 * Runs one seed in which devices change, delete and create the same entities. When all faults are over, every device must show of each entity
 * exactly the commands that the rules of entities leave of all commands, before and after a restart.
 */
export async function runDeletions(seed: number): Promise<DeletionsReport> {
  const random = new SimRandom(`deletions seed ${seed}`).stream('plan')
  const setting = drawSetting(random, losslessFaults)
  const run = new DeletionsRun(seed, { devices: setting.devices, rareWays: planRareWays(random) })
  return run.play(setting, improviseSide(random, setting, composeDeletion))
}

class DeletionsRun {
  readonly #run: SideRun
  readonly #work = new Map<string, CommandWork>()
  /** What was known where a command ran. */
  readonly #seen = new Map<string, ReadonlySet<string>>()
  #deleted = 0

  constructor(seed: number, plan: Pick<SideCampaign, 'devices' | 'rareWays'>) {
    this.#run = new SideRun(seed, {
      ...plan,
      entities: () => deletableEntities((mark, seen) => this.#seen.set(mark, new Set(seen))),
      watched: [knownKey, ...(deletableKeys as readonly string[] as readonly EntityKey[])],
      issuing: (mark, work) => this.#work.set(mark, work),
      judge: async () => {
        await this.#becomeEqual('after the faults')
        for (const device of this.#run.fleet.devices) await this.#run.restart(device)
        await this.#becomeEqual('after a restart')
      },
    })
  }

  async play(setting: SideSetting, script: Script<CommandWork>): Promise<DeletionsReport> {
    const report = await this.#run.play(setting, script)
    const commands = [...this.#work.values()].map(({ on }) => on[1]!.command)
    const deletions = commands.filter((command) => command !== 'write').length
    return { ...report, deleted: this.#deleted, deletions }
  }

  async #becomeEqual(when: string): Promise<void> {
    await this.#run.becomeEqual(when)
    this.#deleted = 0
    for (const device of this.#run.fleet.devices) this.#judge(device, when)
  }

  #judge(device: SimDevice, when: string): void {
    const shownOf = (key: string): Shown | undefined =>
      this.#run.shown(device, key as EntityKey)?.state as Shown | undefined
    const known = new Set(shownOf(knownKey)?.marks)
    for (const mark of this.#run.acknowledged) {
      if (!known.has(mark)) this.#run.report(`${when}, on ${device.name}: ${mark} is gone`)
    }
    for (const key of deletableKeys) {
      const changes = this.#livesOf(key).changes(known)
      const expected = {
        marks: changes.map(({ mark }) => mark).sort(),
        total: changes.reduce((sum, { by }) => sum + by, 0),
      }
      if (changes.length === 0) this.#deleted++
      const shown = JSON.stringify(shownOf(key))
      if (shown === JSON.stringify(expected)) continue
      const where = `${when}, ${key} on ${device.name}`
      this.#run.report(`${where}: ${shown}, and should be ${JSON.stringify(expected)}`)
    }
  }

  #livesOf(key: string): Lives {
    const all = [...this.#work].flatMap(([mark, { on }]): Lived[] => {
      const { entity, command, by } = on[1]!
      const seen = this.#seen.get(mark)
      return entity === key && seen ? [{ mark, command, by, seen }] : []
    })
    return new Lives(all, key.startsWith('slip') ? 'removal' : 'update')
  }
}

interface Shown {
  readonly marks: readonly string[]
  readonly total: Json
}
