import { reasonOf, splitEntityKey, type EntityKey } from '@peerplane/core'

import { planRareWays } from '../plan/generate.ts'
import type { CommandWork } from '../plan/plan.ts'
import type { Script } from '../plan/script.ts'
import {
  drawSetting,
  improviseSide,
  SideRun,
  type SideCampaign,
  type SideReport,
  type SideSetting,
} from '../side/run.ts'
import { SimRandom } from '../world/random.ts'
import { composeWriting, writerEntities, writerKeys, type Wrote } from './entities.ts'

/** The report of one run with entities that have a single writer. */
export interface WritersReport extends SideReport {
  /** Entities that had several branches in the end. */
  readonly conflicts: number
  /** Commands that ended branches. */
  readonly choices: number
}

type Branches = readonly (readonly string[])[]

/** Of each device, only so many sessions are kept on one entity. */
const KEPT = 8

/**
 * Runs one seed in which devices write entities with a single writer, restart, are cloned and restored from copies. When all faults are over, all
 * devices must show the same branches; each branch must hold, below every mark, exactly what its handler saw; no branch may begin another one; and
 * nothing may be gone that was acknowledged, unless a command has chosen otherwise.
 */
export async function runWriters(seed: number): Promise<WritersReport> {
  const random = new SimRandom(`writers seed ${seed}`).stream('plan')
  const setting = drawSetting(random)
  const run = new WritersRun(seed, { devices: setting.devices, rareWays: planRareWays(random) })
  return run.play(setting, improviseSide(random, setting, composeWriting))
}

class WritersRun {
  readonly #run: SideRun
  readonly #wrote = new Map<string, Wrote>()
  /** By process and entity. */
  readonly #seen = new Map<string, Branches>()
  /** Processes that have written an entity. */
  readonly #writers = new Map<string, Set<string>>()
  #conflicts = 0

  constructor(seed: number, plan: Pick<SideCampaign, 'devices' | 'rareWays'>) {
    this.#run = new SideRun(seed, {
      ...plan,
      entities: ({ name }) => this.#entities(name),
      // A state shows only one of its branches.
      watched: [],
      judge: async () => {
        await this.#becomeEqual('after the faults')
        for (const device of this.#run.fleet.devices) await this.#run.restart(device)
        await this.#becomeEqual('after a restart')
      },
    })
  }

  async play(setting: SideSetting, script: Script<CommandWork>): Promise<WritersReport> {
    const report = await this.#run.play(setting, script)
    const choices = [...this.#wrote.values()].filter(({ dropped }) => dropped.length > 0).length
    return { ...report, conflicts: this.#conflicts, choices }
  }

  #entities(process: string): ReturnType<typeof writerEntities> {
    return writerEntities({
      wrote: (what) => {
        this.#wrote.set(what.mark, what)
        const writers = this.#writers.get(what.key) ?? new Set()
        this.#writers.set(what.key, writers.add(process))
      },
      saw: (key, branches) => this.#seen.set(`${process} ${key}`, branches),
      report: (what) => this.#run.report(what),
    })
  }

  async #becomeEqual(when: string): Promise<void> {
    await this.#run.becomeEqual(when)
    await this.#look()
    this.#conflicts = 0
    for (const key of writerKeys) this.#judge(key, when)
  }

  /** Has every device say which branches it shows. */
  async #look(): Promise<void> {
    let left = 0
    for (const { incarnation } of this.#run.fleet.devices) {
      for (const key of writerKeys) {
        left++
        const invocation = { ...splitEntityKey(key as EntityKey), command: 'look', input: null }
        incarnation?.backend
          .invoke([invocation], { durability: 'memory' })
          .catch((error: unknown) => this.#run.report(`${key}: ${reasonOf(error)}`))
          .finally(() => left--)
      }
    }
    await this.#run.world.run(this.#run.world.now + 10_000, () => left === 0)
  }

  #judge(key: string, when: string): void {
    let first: string | undefined
    let shown: Branches = []
    for (const { name, process } of this.#run.fleet.devices) {
      const branches = this.#seen.get(`${process?.name} ${key}`)
      if (!branches) this.#run.report(`${when}, ${key} on ${name}: nothing is shown`)
      else shown = branches
      const text = JSON.stringify(branches)
      first ??= text
      if (text !== first)
        this.#run.report(`${when}, ${key} on ${name}: ${text}, elsewhere ${first}`)
    }
    if (shown.length > 1) this.#conflicts++
    for (const branch of shown) this.#judgeBranch(branch, shown, `${when}, ${key}`)
    this.#judgeGone(key, new Set(shown.flat()), when)
  }

  /** Below each mark there must be what its handler saw. A branch that another one continues has ended. */
  #judgeBranch(branch: readonly string[], all: Branches, where: string): void {
    for (const [place, mark] of branch.entries()) {
      const below = branch.slice(0, place)
      const before = this.#wrote.get(mark)?.before
      if (before?.join() === below.join()) continue
      this.#run.report(
        `${where}: ${mark} stands on ${below.join()}, and was written on ${before?.join()}`,
      )
      return
    }
    const isBegin = (other: readonly string[]): boolean =>
      other !== branch && branch.every((mark, place) => other[place] === mark)
    if (all.some(isBegin))
      this.#run.report(`${where}: a branch of ${branch.length} marks has not ended`)
  }

  #judgeGone(key: string, shown: ReadonlySet<string>, when: string): void {
    // A restored disk has lost what no other device had got.
    if (this.#run.chaos.counts.restore) return
    if ((this.#writers.get(key)?.size ?? 0) > KEPT) return
    const dropped = new Set([...this.#wrote.values()].flatMap((wrote) => wrote.dropped))
    for (const mark of this.#run.acknowledged) {
      if (this.#wrote.get(mark)?.key !== key || shown.has(mark) || dropped.has(mark)) continue
      this.#run.report(`${when}, ${key}: ${mark} is gone, and nobody has chosen another branch`)
    }
  }
}
