import * as core from '@peerplane/core'
import * as runtime from '@peerplane/runtime'

import type { SimDevice } from '../fleet/device.ts'
import { STILL_MS } from '../fleet/settle.ts'
import type { HarmKind } from '../hostile/harm-kinds.ts'
import { planMembers, planRareWays } from '../plan/generate.ts'
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
import { NEW_VERSION, novelties, type Build, type NextBuild } from './build.ts'
import { composeMixed, flawOf, mixedEntities, mixedKeys, type MixedState } from './entities.ts'

/** The report of one run in which two builds edit together. */
export interface MixedReport extends SideReport {
  readonly devices: number
  /** Sections that have no effect on devices with the older build. */
  readonly hidden: number
  /** Messages of a kind that the older build does not know. */
  readonly said: number
  /** Sessions that a hostile member has forked. */
  readonly forks: number
}

const thisBuild: Build = { core, runtime }

/**
 * Runs one seed in which half of the devices have the build `next`. When all faults are over, every device must hold all commits, and show all
 * that it can read. Then all devices are updated, and must show everything.
 */
export async function runMixed(seed: number, next: Build): Promise<MixedReport> {
  const random = new SimRandom(`mixed seed ${seed}`).stream('plan')
  const setting = drawSetting(random, losslessFaults)
  const { devices } = setting
  const names = random.shuffle(devices.map(({ name }) => name))
  const does = chooseNovelties(new SimRandom(`mixed seed ${seed}`).stream('next build'))
  // In some runs, a member forks its sessions: proofs of forks are records, too. The member reads no newer version of records.
  const isForking = random.chance(0.3) && !does.has(NEW_VERSION)
  const { members } = planMembers(random, devices)
  const plan = { devices, rareWays: planRareWays(random), ...(isForking ? { members } : {}) }
  const run = new MixedRun(seed, plan, { next, does })
  for (const name of names.slice(0, Math.ceil(names.length / 2))) run.update(name)
  const harms: HarmKind[] = isForking ? ['fork'] : []
  return run.play(setting, improviseSide(random, setting, composeMixed, harms))
}

/** A random part of what the next build can do, so that nothing covers for what another one would show. */
function chooseNovelties(random: SimRandom): ReadonlySet<string> {
  const some = novelties.filter(() => random.chance(0.4))
  return new Set(random.chance(0.2) ? [...some, NEW_VERSION] : some)
}

class MixedRun {
  readonly #run: SideRun
  readonly #next: Build
  readonly #does: ReadonlySet<string>
  readonly #updated = new Set<string>()
  readonly #work = new Map<string, { readonly work: CommandWork; readonly isNext: boolean }>()
  /** Marks by entity: of sections without an effect on the older build, and of those folded with their ignorable key. */
  readonly #hidden = new Map<string, Set<string>>()
  readonly #kept = new Map<string, Set<string>>()
  #said = 0

  constructor(
    seed: number,
    plan: Pick<SideCampaign, 'devices' | 'members' | 'rareWays'>,
    { next, does }: { readonly next: Build; readonly does: ReadonlySet<string> },
  ) {
    this.#next = next
    this.#does = does
    this.#run = new SideRun(seed, {
      ...plan,
      entities: (process) => mixedEntities(this.#buildOf(process.name.split('.')[0]!)),
      open: (name) => this.#buildOf(name).runtime.openRuntime,
      watched: mixedKeys,
      issuing: (mark, work, { device }) => {
        this.#work.set(mark, { work, isNext: this.#buildOf(device.name) === this.#next })
      },
      judge: () => this.#judgeBuilds(),
    })
  }

  /** From its next start on, the device has the next build. */
  update(name: string): void {
    this.#updated.add(name)
  }

  async play(setting: SideSetting, script: Script<CommandWork>): Promise<MixedReport> {
    Object.assign(globalThis, { nextBuild: this.#listener() })
    const report = await this.#run.play(setting, script)
    const { devices, forks } = this.#run.fleet
    return {
      ...report,
      devices: devices.length,
      hidden: sizeOf(this.#hidden),
      said: this.#said,
      forks,
    }
  }

  async #judgeBuilds(): Promise<void> {
    const { world } = this.#run
    if (this.#does.has(NEW_VERSION)) await world.run(world.now + STILL_MS)
    else {
      // The older build ignores announcements with a critical key.
      await this.#run.becomeEqual('with two builds', !this.#does.has('message'))
      this.#judge('with two builds')
    }
    await this.#updateAll()
    await this.#run.becomeEqual('after the update')
    this.#judge('after the update')
    this.#judgeKept()
  }

  #buildOf(name: string): Build {
    // The store that a clone gets may be one that only the next build can open.
    const isClone = name.startsWith('c')
    return isClone || this.#updated.has(name) ? this.#next : thisBuild
  }

  #listener(): NextBuild {
    return {
      does: this.#does,
      hidden: (entity, body) => addMarks(this.#hidden, entity, body),
      kept: (entity, body) => addMarks(this.#kept, entity, body),
      said: () => {
        this.#said++
      },
    }
  }

  async #updateAll(): Promise<void> {
    this.#kept.clear()
    for (const device of this.#run.fleet.devices) {
      if (this.#buildOf(device.name) === this.#next) continue
      this.#updated.add(device.name)
      await this.#run.restart(device)
    }
  }

  /** Each device must show everything that it can read, and say whether that is all. */
  #judge(when: string): void {
    for (const key of mixedKeys) {
      const written = new Set(this.#run.fleet.devices.flatMap((device) => this.#marks(device, key)))
      const states = new Map<boolean, string>()
      for (const device of this.#run.fleet.devices) {
        const where = `${when}, ${key} on ${device.name}`
        const shown = this.#run.shown(device, key)
        if (!shown) {
          this.#run.report(`${where}: nothing is shown`)
          continue
        }
        const isNext = this.#buildOf(device.name) === this.#next
        const hidden = isNext ? new Set<string>() : (this.#hidden.get(key) ?? new Set<string>())
        const expected = [...written].filter((mark) => !hidden.has(mark)).toSorted()
        const marks = this.#marks(device, key).toSorted()
        if (marks.join() !== expected.join()) {
          this.#run.report(`${where}: shows ${marks.length} marks, not ${expected.length}`)
        }
        const flaw = flawOf(key, shown.state, (mark) => this.#work.get(mark)?.work)
        if (flaw !== undefined) this.#run.report(`${where}: ${flaw}`)
        if (shown.incomplete !== expected.length < written.size) {
          this.#run.report(`${where}: ${shown.incomplete ? 'is' : 'is not'} marked as incomplete`)
        }
        const text = JSON.stringify(shown.state)
        const other = states.get(isNext)
        if (other !== undefined && other !== text) this.#run.report(`${where}: another state`)
        states.set(isNext, text)
      }
      for (const mark of this.#run.acknowledged) {
        const isOn = this.#work.get(mark)!.work.on.some(({ entity }) => entity === key)
        if (isOn && !written.has(mark)) this.#run.report(`${when}: ${mark} is gone from ${key}`)
      }
    }
  }

  /** What the devices that were updated last have folded still has the keys that they did not know before. */
  #judgeKept(): void {
    for (const key of mixedKeys) {
      for (const device of this.#run.fleet.devices) {
        for (const mark of this.#marks(device, key)) {
          if (this.#work.get(mark)?.isNext !== true) continue
          if (this.#kept.get(key)?.has(mark)) continue
          this.#run.report(`${mark} on ${key} has lost its ignorable key`)
        }
      }
    }
  }

  #marks(device: SimDevice, key: core.EntityKey): readonly string[] {
    const shown = this.#run.shown(device, key)
    return shown ? (shown.state as unknown as MixedState).marks : []
  }
}

function addMarks(to: Map<string, Set<string>>, entity: string, body: Uint8Array): void {
  const marks = to.get(entity) ?? new Set<string>()
  to.set(entity, marks)
  for (const mark of marksIn(body)) marks.add(mark)
}

const sizeOf = (marks: ReadonlyMap<string, ReadonlySet<string>>): number =>
  [...marks.values()].reduce((sum, { size }) => sum + size, 0)

/** The marks in a body: `~w`, a number and `~`. They are ASCII, whatever else the body holds. */
function marksIn(body: Uint8Array): readonly string[] {
  const text = String.fromCharCode(...body)
  return [...text.matchAll(/~w\d+~/g)].map(([mark]) => mark)
}
