import { reasonOf, splitEntityKey, type EntityKey } from '@peerplane/core'
import type { PlaneStatus } from '@peerplane/runtime'

import { Chaos } from '../fleet/chaos.ts'
import type { Incarnation, SimDevice } from '../fleet/device.ts'
import { ambientFaults, chooseFaults, momentaryFaults } from '../fleet/fault-kinds.ts'
import { Fleet } from '../fleet/fleet.ts'
import { restart, settle } from '../fleet/settle.ts'
import { planConditions, planDevices, planRareWays } from '../plan/generate.ts'
import { perform, type Stage } from '../plan/perform.ts'
import type { CommandWork } from '../plan/plan.ts'
import { improvised } from '../plan/script.ts'
import { SimRandom } from '../world/random.ts'
import { SimWorld } from '../world/world.ts'
import { composeWriting, writerEntities, writerKeys, type Wrote } from './entities.ts'

/** The report of one run with entities that have a single writer. */
export interface WritersReport {
  readonly seed: number
  readonly acknowledged: number
  readonly faults: number
  /** Entities that had several branches in the end. */
  readonly conflicts: number
  /** Commands that ended branches. */
  readonly choices: number
  readonly virtualMs: number
  readonly violations: readonly string[]
}

type Branches = readonly (readonly string[])[]

const COMMANDS = 40
const FAULTS = 8
const MOST_VIOLATIONS = 10
const RHYTHM = { workMs: 300, faultMs: 1500, copyMs: 2000 }
/** Of each device, only so many sessions are kept on one entity. */
const KEPT = 8

/**
 * Runs one seed in which devices write entities with a single writer, restart, are cloned and restored from copies. When all faults are over, all
 * devices must show the same branches; each branch must hold, below every mark, exactly what its handler saw; no branch may begin another one; and
 * nothing may be gone that was acknowledged, unless a command has chosen otherwise.
 */
export async function runWriters(seed: number): Promise<WritersReport> {
  const random = new SimRandom(`writers seed ${seed}`).stream('plan')
  const devices = planDevices(random, 3 + random.below(2))
  const kinds = chooseFaults(random, [...momentaryFaults, ...ambientFaults])
  const conditions = planConditions(random, kinds, devices)
  const run = new WritersRun(seed, { devices, rareWays: planRareWays(random) })
  const script = improvised(random, { kinds, rhythm: RHYTHM, harms: [] }, composeWriting)
  return run.play(conditions, script)
}

class WritersRun {
  readonly #world: SimWorld
  readonly #fleet: Fleet
  readonly #chaos: Chaos
  readonly #statuses = new Map<SimDevice, PlaneStatus>()
  readonly #wrote = new Map<string, Wrote>()
  /** By process and entity. */
  readonly #seen = new Map<string, Branches>()
  /** Processes that have written an entity. */
  readonly #writers = new Map<string, Set<string>>()
  readonly #acknowledged = new Set<string>()
  readonly #violations: string[] = []
  #conflicts = 0

  constructor(
    seed: number,
    plan: Pick<ConstructorParameters<typeof Fleet>[1], 'devices' | 'rareWays'>,
  ) {
    this.#world = new SimWorld(seed)
    this.#fleet = new Fleet(
      this.#world,
      { ...plan, entities: ({ name }) => this.#entities(name) },
      {
        opened: ({ device, backend }) =>
          backend.watchStatus((status) => this.#statuses.set(device, status)),
        ended: ({ device }) => {
          this.#statuses.delete(device)
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
  ): Promise<WritersReport> {
    const problem = await this.#fleet.found().catch((error: unknown) => error)
    if (problem === undefined) await this.#playFounded(conditions, script)
    else this.#report(reasonOf(problem))
    const all = Object.values(this.#chaos.counts)
    return {
      seed: this.#world.seed,
      acknowledged: this.#acknowledged.size,
      faults: all.reduce((sum, count) => sum + count, 0),
      conflicts: this.#conflicts,
      choices: [...this.#wrote.values()].filter(({ dropped }) => dropped.length > 0).length,
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
    await this.#becomeEqual('after the faults')
    for (const device of this.#fleet.devices) {
      if (!(await restart(this.#fleet, device))) this.#report(`${device.name} did not stop`)
    }
    await this.#becomeEqual('after a restart')
  }

  #entities(process: string): ReturnType<typeof writerEntities> {
    return writerEntities({
      wrote: (what) => {
        this.#wrote.set(what.mark, what)
        const writers = this.#writers.get(what.key) ?? new Set()
        this.#writers.set(what.key, writers.add(process))
      },
      saw: (key, branches) => this.#seen.set(`${process} ${key}`, branches),
      report: (what) => this.#report(what),
    })
  }

  #issue(mark: string, { on, durability }: CommandWork, { backend }: Incarnation): void {
    const [{ entity, command, by }] = on as [CommandWork['on'][number]]
    const invocation = { ...splitEntityKey(entity as EntityKey), command, input: { mark, by } }
    backend.invoke([invocation], { durability }).then(
      () => {
        // What is durable only as `local` may be gone after a power cut.
        if (durability === 'synced') this.#acknowledged.add(mark)
      },
      // Ignored: what was refused need not be there.
      () => undefined,
    )
  }

  async #becomeEqual(when: string): Promise<void> {
    const difference = await settle(this.#fleet, (device) => this.#statuses.get(device))
    // What a restored disk has lost may be what a commit elsewhere waits for.
    if (difference !== undefined && !this.#chaos.counts.restore) {
      this.#report(`${when}, devices did not become equal: ${difference}`)
    }
    await this.#look()
    this.#conflicts = 0
    for (const key of writerKeys) this.#judge(key, when)
  }

  /** Has every device say which branches it shows. */
  async #look(): Promise<void> {
    let left = 0
    for (const { incarnation } of this.#fleet.devices) {
      for (const key of writerKeys) {
        left++
        const invocation = { ...splitEntityKey(key as EntityKey), command: 'look', input: null }
        incarnation?.backend
          .invoke([invocation], { durability: 'memory' })
          .catch((error: unknown) => this.#report(`${key}: ${reasonOf(error)}`))
          .finally(() => left--)
      }
    }
    await this.#world.run(this.#world.now + 10_000, () => left === 0)
  }

  #judge(key: string, when: string): void {
    let first: string | undefined
    let shown: Branches = []
    for (const { name, process } of this.#fleet.devices) {
      const branches = this.#seen.get(`${process?.name} ${key}`)
      if (!branches) this.#report(`${when}, ${key} on ${name}: nothing is shown`)
      else shown = branches
      const text = JSON.stringify(branches)
      first ??= text
      if (text !== first) this.#report(`${when}, ${key} on ${name}: ${text}, elsewhere ${first}`)
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
      this.#report(
        `${where}: ${mark} stands on ${below.join()}, and was written on ${before?.join()}`,
      )
      return
    }
    const isBegin = (other: readonly string[]): boolean =>
      other !== branch && branch.every((mark, place) => other[place] === mark)
    if (all.some(isBegin))
      this.#report(`${where}: a branch of ${branch.length} marks has not ended`)
  }

  #judgeGone(key: string, shown: ReadonlySet<string>, when: string): void {
    // A restored disk has lost what no other device had got.
    if (this.#chaos.counts.restore) return
    if ((this.#writers.get(key)?.size ?? 0) > KEPT) return
    const dropped = new Set([...this.#wrote.values()].flatMap((wrote) => wrote.dropped))
    for (const mark of this.#acknowledged) {
      if (this.#wrote.get(mark)?.key !== key || shown.has(mark) || dropped.has(mark)) continue
      this.#report(`${when}, ${key}: ${mark} is gone, and nobody has chosen another branch`)
    }
  }

  #report(what: string): void {
    if (this.#violations.length < MOST_VIOLATIONS) this.#violations.push(what)
  }
}
