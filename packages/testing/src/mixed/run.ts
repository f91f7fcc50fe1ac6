import * as core from '@peerplane/core'
import * as runtime from '@peerplane/runtime'
import type { Invocation, PlaneStatus } from '@peerplane/runtime'

import { Chaos } from '../fleet/chaos.ts'
import type { Incarnation, SimDevice } from '../fleet/device.ts'
import { ambientFaults, chooseFaults, momentaryFaults } from '../fleet/fault-kinds.ts'
import { Fleet } from '../fleet/fleet.ts'
import { restart, settle, STILL_MS } from '../fleet/settle.ts'
import type { HarmKind } from '../hostile/harm-kinds.ts'
import { planConditions, planDevices, planMembers, planRareWays } from '../plan/generate.ts'
import { perform, type Stage } from '../plan/perform.ts'
import type { CommandWork } from '../plan/plan.ts'
import { improvised } from '../plan/script.ts'
import { SimRandom } from '../world/random.ts'
import { SimWorld } from '../world/world.ts'
import { NEW_VERSION, novelties, type Build, type NextBuild } from './build.ts'
import {
  composeMixed,
  flawOf,
  MIXED_TYPE,
  mixedEntities,
  mixedIds,
  type MixedState,
} from './entities.ts'

/** The report of one run in which two builds edit together. */
export interface MixedReport {
  readonly seed: number
  readonly devices: number
  readonly acknowledged: number
  readonly faults: number
  /** Sections that have no effect on devices with the older build. */
  readonly hidden: number
  /** Messages of a kind that the older build does not know. */
  readonly said: number
  /** Sessions that a hostile member has forked. */
  readonly forks: number
  readonly virtualMs: number
  readonly violations: readonly string[]
}

/** What a device shows of one entity. */
interface Shown {
  readonly state: core.Json
  readonly incomplete: boolean
}

const COMMANDS = 40
const FAULTS = 8
const MOST_VIOLATIONS = 10
const RHYTHM = { workMs: 300, faultMs: 1500, copyMs: Infinity }
/** A disk that is restored may lose commits for good, so nothing could be expected of the end. */
const faults = [...momentaryFaults, ...ambientFaults].filter((kind) => kind !== 'restore')

const thisBuild: Build = { core, runtime }

/**
 * Runs one seed in which half of the devices have the build `next`. When all faults are over, every device must hold all commits, and show all
 * that it can read. Then all devices are updated, and must show everything.
 */
export async function runMixed(seed: number, next: Build): Promise<MixedReport> {
  const random = new SimRandom(`mixed seed ${seed}`).stream('plan')
  const devices = planDevices(random, 3 + random.below(2))
  const kinds = chooseFaults(random, faults)
  const conditions = planConditions(random, kinds, devices)
  const names = random.shuffle(devices.map(({ name }) => name))
  const does = chooseNovelties(new SimRandom(`mixed seed ${seed}`).stream('next build'))
  // In some runs, a member forks its sessions: proofs of forks are records, too. The member reads no newer version of records.
  const isForking = random.chance(0.3) && !does.has(NEW_VERSION)
  const { members } = planMembers(random, devices)
  const plan = { devices, rareWays: planRareWays(random), ...(isForking ? { members } : {}) }
  const run = new MixedRun(seed, plan, { next, does })
  for (const name of names.slice(0, Math.ceil(names.length / 2))) run.update(name)
  const harms: HarmKind[] = isForking ? ['fork'] : []
  const script = improvised(random, { kinds, rhythm: RHYTHM, harms }, composeMixed)
  return run.play(conditions, script)
}

/** A random part of what the next build can do, so that nothing covers for what another one would show. */
function chooseNovelties(random: SimRandom): ReadonlySet<string> {
  const some = novelties.filter(() => random.chance(0.4))
  return new Set(random.chance(0.2) ? [...some, NEW_VERSION] : some)
}

class MixedRun {
  readonly #world: SimWorld
  readonly #fleet: Fleet
  readonly #chaos: Chaos
  readonly #next: Build
  readonly #does: ReadonlySet<string>
  readonly #updated = new Set<string>()
  readonly #statuses = new Map<SimDevice, PlaneStatus>()
  readonly #shown = new Map<SimDevice, Map<string, Shown>>()
  readonly #work = new Map<string, { readonly work: CommandWork; readonly isNext: boolean }>()
  readonly #acknowledged = new Set<string>()
  /** Marks by entity: of sections without an effect on the older build, and of those folded with their ignorable key. */
  readonly #hidden = new Map<string, Set<string>>()
  readonly #kept = new Map<string, Set<string>>()
  readonly #violations: string[] = []
  #said = 0

  constructor(
    seed: number,
    plan: Pick<ConstructorParameters<typeof Fleet>[1], 'devices' | 'members' | 'rareWays'>,
    { next, does }: { readonly next: Build; readonly does: ReadonlySet<string> },
  ) {
    this.#next = next
    this.#world = new SimWorld(seed)
    this.#fleet = new Fleet(
      this.#world,
      {
        ...plan,
        entities: (process) => mixedEntities(this.#buildOf(process.name.split('.')[0]!)),
        open: (name) => this.#buildOf(name).runtime.openRuntime,
      },
      {
        opened: (incarnation) => this.#opened(incarnation),
        ended: ({ device }) => {
          this.#statuses.delete(device)
          this.#shown.delete(device)
        },
        failed: () => undefined,
        closed: () => undefined,
        powerCut: () => undefined,
        copied: () => undefined,
        restored: () => undefined,
      },
    )
    this.#chaos = new Chaos(this.#fleet)
    this.#does = does
  }

  /** From its next start on, the device has the next build. */
  update(name: string): void {
    this.#updated.add(name)
  }

  async play(
    conditions: Parameters<Chaos['begin']>[0],
    script: Parameters<typeof perform<CommandWork>>[0],
  ): Promise<MixedReport> {
    Object.assign(globalThis, { nextBuild: this.#listener() })
    const problem = await this.#fleet.found().catch((error: unknown) => error)
    if (problem === undefined) await this.#playFounded(conditions, script)
    else this.#report(core.reasonOf(problem))
    const all = Object.values(this.#chaos.counts)
    return {
      seed: this.#world.seed,
      devices: this.#fleet.devices.length,
      acknowledged: this.#acknowledged.size,
      faults: all.reduce((sum, count) => sum + count, 0),
      hidden: sizeOf(this.#hidden),
      said: this.#said,
      forks: this.#fleet.forks,
      virtualMs: this.#world.now,
      violations: this.#violations,
    }
  }

  async #playFounded(
    conditions: Parameters<Chaos['begin']>[0],
    script: Parameters<typeof perform<CommandWork>>[0],
  ): Promise<void> {
    this.#chaos.begin(conditions)
    const stage: Stage<CommandWork> = {
      fleet: this.#fleet,
      chaos: this.#chaos,
      run: (untilMs, done) => this.#world.run(untilMs, done),
      ready: () => true,
      work: ({ id, work }, incarnation) => this.#issue(`~w${id}~`, work, incarnation),
    }
    const enough = (count: number): boolean =>
      this.#acknowledged.size >= COMMANDS && count >= FAULTS
    await perform(script, stage, { enough })
    this.#chaos.stop()
    if (this.#does.has(NEW_VERSION)) await this.#world.run(this.#world.now + STILL_MS)
    else {
      await this.#becomeEqual('with two builds')
      this.#judge('with two builds')
    }
    await this.#updateAll()
    await this.#becomeEqual('after the update')
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

  #opened({ device, backend }: Incarnation): void {
    backend.watchStatus((status) => this.#statuses.set(device, status))
    const shown = new Map<string, Shown>()
    this.#shown.set(device, shown)
    for (const id of mixedIds) {
      backend.watchEntity(MIXED_TYPE, id, (entity) => {
        if (entity.phase === 'ready') shown.set(id, entity)
        else this.#report(`${id} is unreadable on ${device.name}: ${entity.problem.message}`)
      })
    }
  }

  #issue(mark: string, work: CommandWork, { device, backend }: Incarnation): void {
    this.#work.set(mark, { work, isNext: this.#buildOf(device.name) === this.#next })
    const invocations = work.on.map(({ entity, command, key, by }): Invocation => ({
      ...core.splitEntityKey(entity as core.EntityKey),
      command,
      input: { mark, key, by },
    }))
    backend.invoke(invocations, { durability: work.durability }).then(
      () => {
        // What is durable only as `local` may be gone after a power cut.
        if (work.durability === 'synced') this.#acknowledged.add(mark)
      },
      // Ignored: what was refused need not be there.
      () => undefined,
    )
  }

  async #updateAll(): Promise<void> {
    this.#kept.clear()
    for (const device of this.#fleet.devices) {
      if (this.#buildOf(device.name) === this.#next) continue
      this.#updated.add(device.name)
      if (!(await restart(this.#fleet, device))) this.#report(`${device.name} did not stop`)
    }
  }

  async #becomeEqual(when: string): Promise<void> {
    const difference = await settle(this.#fleet, (device) => this.#statuses.get(device))
    if (difference === undefined) return
    this.#report(`${when}, the devices did not become equal: ${difference}`)
  }

  /** Each device must show everything that it can read, and say whether that is all. */
  #judge(when: string): void {
    for (const id of mixedIds) {
      const written = new Set(this.#fleet.devices.flatMap((device) => this.#marks(device, id)))
      const states = new Map<boolean, string>()
      for (const device of this.#fleet.devices) {
        const where = `${when}, ${id} on ${device.name}`
        const shown = this.#shown.get(device)?.get(id)
        if (!shown) {
          this.#report(`${where}: nothing is shown`)
          continue
        }
        const isNext = this.#buildOf(device.name) === this.#next
        const hidden = isNext ? new Set<string>() : (this.#hidden.get(id) ?? new Set<string>())
        const expected = [...written].filter((mark) => !hidden.has(mark)).toSorted()
        const marks = this.#marks(device, id).toSorted()
        if (marks.join() !== expected.join()) {
          this.#report(`${where}: shows ${marks.length} marks, not ${expected.length}`)
        }
        const flaw = flawOf(id, shown.state, (mark) => this.#work.get(mark)?.work)
        if (flaw !== undefined) this.#report(`${where}: ${flaw}`)
        if (shown.incomplete !== expected.length < written.size) {
          this.#report(`${where}: ${shown.incomplete ? 'is' : 'is not'} marked as incomplete`)
        }
        const text = JSON.stringify(shown.state)
        const other = states.get(isNext)
        if (other !== undefined && other !== text) this.#report(`${where}: another state`)
        states.set(isNext, text)
      }
      for (const mark of this.#acknowledged) {
        const isOn = this.#work
          .get(mark)!
          .work.on.some(({ entity }) => entity === `${MIXED_TYPE}/${id}`)
        if (isOn && !written.has(mark)) this.#report(`${when}: ${mark} is gone from ${id}`)
      }
    }
  }

  /** What the devices that were updated last have folded still has the keys that they did not know before. */
  #judgeKept(): void {
    for (const id of mixedIds) {
      for (const device of this.#fleet.devices) {
        for (const mark of this.#marks(device, id)) {
          if (this.#work.get(mark)?.isNext !== true) continue
          if (this.#kept.get(id)?.has(mark)) continue
          this.#report(`${mark} on ${id} has lost its ignorable key`)
        }
      }
    }
  }

  #marks(device: SimDevice, id: string): readonly string[] {
    const shown = this.#shown.get(device)?.get(id)
    return shown ? (shown.state as unknown as MixedState).marks : []
  }

  #report(what: string): void {
    if (this.#violations.length < MOST_VIOLATIONS) this.#violations.push(what)
  }
}

function addMarks(to: Map<string, Set<string>>, entity: string, body: Uint8Array): void {
  const id = entity.slice(entity.indexOf('/') + 1)
  const marks = to.get(id) ?? new Set<string>()
  to.set(id, marks)
  for (const mark of marksIn(body)) marks.add(mark)
}

const sizeOf = (marks: ReadonlyMap<string, ReadonlySet<string>>): number =>
  [...marks.values()].reduce((sum, { size }) => sum + size, 0)

/** The marks in a body: `~w`, a number and `~`. They are ASCII, whatever else the body holds. */
function marksIn(body: Uint8Array): readonly string[] {
  const text = String.fromCharCode(...body)
  return [...text.matchAll(/~w\d+~/g)].map(([mark]) => mark)
}
