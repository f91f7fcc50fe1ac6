import type { EntityKey } from '@peerplane/core'

import { composeMixed, mixedKeys } from '../mixed/entities.ts'
import { planRareWays } from '../plan/generate.ts'
import type { CommandWork } from '../plan/plan.ts'
import type { Script } from '../plan/script.ts'
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
import { commonOf, evolveEntities, flawIn, marksOf, type EvolveMark } from './entities.ts'

/** The report of one run in which two versions of an app edit together. */
export interface EvolveReport extends SideReport {
  /** Updates of the app on one device, and returns to the older version. */
  readonly updates: number
}

/**
 * Runs one seed in which devices have the older or the newer version of an app, and change it from start to start. When all faults are over, every
 * device must show all commands as its version declares them: first with both versions, then twice in turn with the newer one everywhere and with
 * the older one everywhere.
 */
export async function runEvolve(seed: number): Promise<EvolveReport> {
  const random = new SimRandom(`evolve seed ${seed}`).stream('plan')
  const setting = drawSetting(random, losslessFaults)
  const run = new EvolveRun(seed, { devices: setting.devices, rareWays: planRareWays(random) })
  return run.play(setting, improviseSide(random, setting, composeMixed))
}

class EvolveRun {
  readonly #run: SideRun
  readonly #random: SimRandom
  /** Devices that have the newer version from their next start on. */
  readonly #updated = new Set<string>()
  /** Whether a process has the newer version, by its name. */
  readonly #versions = new Map<string, boolean>()
  readonly #work = new Map<string, CommandWork & { readonly isNew: boolean }>()
  /** The states that were judged first, by entity and version: when devices are judged, nothing more is written. */
  readonly #shownAs = new Map<string, string>()
  #updates = 0

  constructor(seed: number, plan: Pick<SideCampaign, 'devices' | 'rareWays'>) {
    this.#random = new SimRandom(`evolve seed ${seed}`).stream('updates')
    for (const { name } of plan.devices) if (this.#random.chance(0.5)) this.#updated.add(name)
    this.#run = new SideRun(seed, {
      ...plan,
      entities: ({ name }) => {
        const isNew = this.#updated.has(name.split('.')[0]!)
        this.#versions.set(name, isNew)
        return evolveEntities[isNew ? 'new' : 'old']
      },
      watched: mixedKeys,
      issuing: (mark, work, { process }) => {
        if (this.#random.chance(0.2)) this.#update(this.#random.pick(this.#run.fleet.devices).name)
        this.#work.set(mark, { ...work, isNew: this.#versions.get(process.name)! })
      },
      judge: () => this.#judgeVersions(),
    })
  }

  async play(setting: SideSetting, script: Script<CommandWork>): Promise<EvolveReport> {
    const report = await this.#run.play(setting, script)
    return { ...report, updates: this.#updates }
  }

  async #judgeVersions(): Promise<void> {
    await this.#becomeEqual('with two versions')
    // A commit whose write was reported as failed may be there after the restart.
    this.#shownAs.clear()
    for (const isNew of [true, false, true, false]) {
      for (const device of this.#run.fleet.devices) {
        if (this.#updated.has(device.name) !== isNew) this.#update(device.name)
        await this.#run.restart(device)
      }
      await this.#becomeEqual(`with the ${isNew ? 'newer' : 'older'} version everywhere`)
    }
  }

  /** From its next start on, the device has the other version. */
  #update(name: string): void {
    this.#updates++
    if (!this.#updated.delete(name)) this.#updated.add(name)
  }

  async #becomeEqual(when: string): Promise<void> {
    await this.#run.becomeEqual(when)
    for (const key of mixedKeys) this.#judge(key, when)
  }

  /** Each device must show every command on an entity, as its version declares it. */
  #judge(key: EntityKey, when: string): void {
    const marked = (mark: string): EvolveMark | undefined => {
      const work = this.#work.get(mark)
      const part = work?.on.find(({ entity }) => entity === key)
      return part && { isNew: work!.isNew, by: part.by, key: part.key }
    }
    for (const device of this.#run.fleet.devices) {
      const report = (what: string): void =>
        this.#run.report(`${when}, ${key} on ${device.name}: ${what}`)
      const shown = this.#run.shown(device, key)
      if (!shown) {
        report('nothing is shown')
        continue
      }
      const isNew = this.#versions.get(device.process!.name)!
      if (shown.incomplete) report('is incomplete')
      const flaw = flawIn(shown.state, isNew, marked)
      if (flaw !== undefined) report(flaw)
      const marks = new Set(marksOf(shown.state))
      for (const mark of this.#run.acknowledged) {
        if (marked(mark) && !marks.has(mark)) report(`${mark} is gone`)
      }
      const alike = [
        ['any version', commonOf(shown.state, isNew)],
        [isNew ? 'newer' : 'older', JSON.stringify(shown.state)],
      ] as const
      for (const [version, text] of alike) {
        const before = this.#shownAs.get(`${key}, ${version}`) ?? text
        if (before !== text) report('another state')
        this.#shownAs.set(`${key}, ${version}`, before)
      }
    }
  }
}
