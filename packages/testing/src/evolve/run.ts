import { reasonOf, splitEntityKey, type EntityKey, type Json } from '@peerplane/core'
import type { Invocation, PlaneStatus } from '@peerplane/runtime'

import { Chaos } from '../fleet/chaos.ts'
import type { Incarnation, SimDevice } from '../fleet/device.ts'
import { ambientFaults, chooseFaults, momentaryFaults } from '../fleet/fault-kinds.ts'
import { Fleet } from '../fleet/fleet.ts'
import { restart, settle } from '../fleet/settle.ts'
import { composeMixed, MIXED_TYPE, mixedIds } from '../mixed/entities.ts'
import { planConditions, planDevices, planRareWays } from '../plan/generate.ts'
import { perform, type Stage } from '../plan/perform.ts'
import type { CommandWork } from '../plan/plan.ts'
import { improvised } from '../plan/script.ts'
import { SimRandom } from '../world/random.ts'
import { SimWorld } from '../world/world.ts'
import { commonOf, evolveEntities, flawIn, marksOf, type EvolveMark } from './entities.ts'

/** The report of one run in which two versions of an app edit together. */
export interface EvolveReport {
  readonly seed: number
  readonly acknowledged: number
  readonly faults: number
  /** Updates of the app on one device, and returns to the older version. */
  readonly updates: number
  readonly virtualMs: number
  readonly violations: readonly string[]
}

interface Shown {
  readonly state: Json
  readonly incomplete: boolean
}

const COMMANDS = 40
const FAULTS = 8
const MOST_VIOLATIONS = 10
const RHYTHM = { workMs: 300, faultMs: 1500, copyMs: Infinity }
/** A disk that is restored may lose commits for good, so nothing could be expected of the end. */
const faults = [...momentaryFaults, ...ambientFaults].filter((kind) => kind !== 'restore')

/**
 * Runs one seed in which devices have the older or the newer version of an app, and change it from start to start. When all faults are over, every
 * device must show all commands as its version declares them: declares them: first with both versions, then twice in turn with the newer one everywhere and with
 * the older one everywhere.
 */
export async function runEvolve(seed: number): Promise<EvolveReport> {
  const random = new SimRandom(`evolve seed ${seed}`).stream('plan')
  const devices = planDevices(random, 3 + random.below(2))
  const kinds = chooseFaults(random, faults)
  const conditions = planConditions(random, kinds, devices)
  const run = new EvolveRun(seed, { devices, rareWays: planRareWays(random) })
  const script = improvised(random, { kinds, rhythm: RHYTHM, harms: [] }, composeMixed)
  return run.play(conditions, script)
}

class EvolveRun {
  readonly #world: SimWorld
  readonly #fleet: Fleet
  readonly #chaos: Chaos
  readonly #random: SimRandom
  /** Devices that have the newer version from their next start on. */
  readonly #updated = new Set<string>()
  /** Whether a process has the newer version, by its name; and the device on which it runs. */
  readonly #versions = new Map<string, boolean>()
  readonly #isNew = new Map<SimDevice, boolean>()
  readonly #statuses = new Map<SimDevice, PlaneStatus>()
  readonly #shown = new Map<SimDevice, Map<string, Shown>>()
  readonly #work = new Map<string, CommandWork & { readonly isNew: boolean }>()
  readonly #acknowledged = new Set<string>()
  /** The states that were judged first, by entity and version: when devices are judged, nothing more is written. */
  readonly #shownAs = new Map<string, string>()
  readonly #violations: string[] = []
  #updates = 0

  constructor(
    seed: number,
    plan: Pick<ConstructorParameters<typeof Fleet>[1], 'devices' | 'rareWays'>,
  ) {
    this.#world = new SimWorld(seed)
    this.#random = new SimRandom(`evolve seed ${seed}`).stream('updates')
    for (const { name } of plan.devices) if (this.#random.chance(0.5)) this.#updated.add(name)
    this.#fleet = new Fleet(
      this.#world,
      {
        ...plan,
        entities: ({ name }) => {
          const isNew = this.#updated.has(name.split('.')[0]!)
          this.#versions.set(name, isNew)
          return evolveEntities[isNew ? 'new' : 'old']
        },
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
  }

  async play(
    conditions: Parameters<Chaos['begin']>[0],
    script: Parameters<typeof perform<CommandWork>>[0],
  ): Promise<EvolveReport> {
    const problem = await this.#fleet.found().catch((error: unknown) => error)
    if (problem === undefined) await this.#playFounded(conditions, script)
    else this.#report(reasonOf(problem))
    const all = Object.values(this.#chaos.counts)
    return {
      seed: this.#world.seed,
      acknowledged: this.#acknowledged.size,
      faults: all.reduce((sum, count) => sum + count, 0),
      updates: this.#updates,
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
      work: ({ id, work }, incarnation) => {
        if (this.#random.chance(0.2)) this.#update(this.#random.pick(this.#fleet.devices).name)
        this.#issue(`~w${id}~`, work, incarnation)
      },
    }
    const enough = (count: number): boolean =>
      this.#acknowledged.size >= COMMANDS && count >= FAULTS
    await perform(script, stage, { enough })
    this.#chaos.stop()
    await this.#becomeEqual('with two versions')
    // A commit whose write was reported as failed may be there after the restart.
    this.#shownAs.clear()
    for (const isNew of [true, false, true, false]) {
      await this.#moveAll(isNew)
      await this.#becomeEqual(`with the ${isNew ? 'newer' : 'older'} version everywhere`)
    }
  }

  /** From its next start on, the device has the other version. */
  #update(name: string): void {
    this.#updates++
    if (!this.#updated.delete(name)) this.#updated.add(name)
  }

  #opened({ device, process, backend }: Incarnation): void {
    this.#isNew.set(device, this.#versions.get(process.name)!)
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
    this.#work.set(mark, { ...work, isNew: this.#isNew.get(device)! })
    const invocations = work.on.map(({ entity, command, key, by }): Invocation => ({
      ...splitEntityKey(entity as EntityKey),
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

  async #moveAll(isNew: boolean): Promise<void> {
    for (const device of this.#fleet.devices) {
      if (this.#updated.has(device.name) !== isNew) this.#update(device.name)
      if (!(await restart(this.#fleet, device))) this.#report(`${device.name} did not stop`)
    }
  }

  async #becomeEqual(when: string): Promise<void> {
    const difference = await settle(this.#fleet, (device) => this.#statuses.get(device))
    if (difference !== undefined)
      this.#report(`${when}, devices did not become equal: ${difference}`)
    for (const id of mixedIds) this.#judge(id, when)
  }

  /** Each device must show every command on an entity, as its version declares it. */
  #judge(id: string, when: string): void {
    const marked = (mark: string): EvolveMark | undefined => {
      const work = this.#work.get(mark)
      const part = work?.on.find(({ entity }) => entity === `${MIXED_TYPE}/${id}`)
      return part && { isNew: work!.isNew, by: part.by, key: part.key }
    }
    for (const device of this.#fleet.devices) {
      const where = `${when}, ${id} on ${device.name}`
      const isNew = this.#isNew.get(device) === true
      const shown = this.#shown.get(device)?.get(id)
      if (!shown) {
        this.#report(`${where}: nothing is shown`)
        continue
      }
      if (shown.incomplete) this.#report(`${where}: is incomplete`)
      const flaw = flawIn(shown.state, isNew, marked)
      if (flaw !== undefined) this.#report(`${where}: ${flaw}`)
      const marks = new Set(marksOf(shown.state))
      for (const mark of this.#acknowledged) {
        if (marked(mark) && !marks.has(mark)) this.#report(`${where}: ${mark} is gone`)
      }
      const alike = [
        ['any version', commonOf(shown.state, isNew)],
        [isNew ? 'newer' : 'older', JSON.stringify(shown.state)],
      ] as const
      for (const [version, text] of alike) {
        const before = this.#shownAs.get(`${id}, ${version}`) ?? text
        if (before !== text) this.#report(`${where}: another state`)
        this.#shownAs.set(`${id}, ${version}`, before)
      }
    }
  }

  #report(what: string): void {
    if (this.#violations.length < MOST_VIOLATIONS) this.#violations.push(what)
  }
}
