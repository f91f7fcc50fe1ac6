import { reasonOf, splitEntityKey, type EntityKey, type Json } from '@peerplane/core'
import type { Invocation, PlaneStatus } from '@peerplane/runtime'

import { Chaos } from '../fleet/chaos.ts'
import type { Incarnation, SimDevice } from '../fleet/device.ts'
import {
  ambientFaults,
  chooseFaults,
  momentaryFaults,
  type FaultKind,
} from '../fleet/fault-kinds.ts'
import { Fleet, type FleetOptions } from '../fleet/fleet.ts'
import { settle } from '../fleet/settle.ts'
import type { HarmKind } from '../hostile/harm-kinds.ts'
import { planConditions, planDevices } from '../plan/generate.ts'
import { perform, type Stage } from '../plan/perform.ts'
import type { CommandWork, Condition, PlannedDevice } from '../plan/plan.ts'
import { improvised, type Script } from '../plan/script.ts'
import type { SimRandom } from '../world/random.ts'
import { SimWorld } from '../world/world.ts'

/** The part of a report that all side campaigns have. */
export interface SideReport {
  readonly seed: number
  readonly acknowledged: number
  readonly faults: number
  readonly virtualMs: number
  readonly violations: readonly string[]
}

/** What a device shows of one entity. */
interface Shown {
  readonly state: Json
  readonly incomplete: boolean
}

/** The devices of a run, and the faults that may strike them. */
export interface SideSetting {
  readonly devices: readonly PlannedDevice[]
  readonly kinds: ReadonlySet<FaultKind>
  readonly conditions: readonly Condition[]
}

/** What differs between side campaigns. */
export interface SideCampaign extends Pick<
  FleetOptions,
  'devices' | 'members' | 'rareWays' | 'entities' | 'open'
> {
  /** Entities that every device shows. */
  readonly watched: readonly EntityKey[]
  /** Called before a command runs. It leaves `mark` in the states that it changes. */
  readonly issuing?: (mark: string, work: CommandWork, incarnation: Incarnation) => void
  /** Looks at the devices when all faults are over, and reports what is wrong. */
  readonly judge: () => Promise<void>
}

/** Enough work, and enough faults, for one run. */
const COMMANDS = 40
const FAULTS = 8
const MOST_VIOLATIONS = 10
const RHYTHM = { workMs: 300, faultMs: 1500, copyMs: 2000 }
const PATIENCE_MS = 180_000
const STOP_MS = 60_000

/** All faults except `restore`: a disk that is restored may lose commits for good, so nothing could be expected of the end. */
export const losslessFaults: readonly FaultKind[] = [...momentaryFaults, ...ambientFaults].filter(
  (kind) => kind !== 'restore',
)

/** Draws the devices of a run, and which of these faults strike them. Default: all faults. */
export function drawSetting(random: SimRandom, faults?: readonly FaultKind[]): SideSetting {
  const devices = planDevices(random, 3 + random.below(2))
  const kinds = chooseFaults(random, faults)
  return { devices, kinds, conditions: planConditions(random, kinds, devices) }
}

/** The endless steps of a run. */
export const improviseSide = (
  random: SimRandom,
  { kinds }: SideSetting,
  compose: (random: SimRandom) => CommandWork,
  harms: readonly HarmKind[] = [],
): Script<CommandWork> => improvised(random, { kinds, rhythm: RHYTHM, harms }, compose)

/** A run of a side campaign: devices work under faults; then all faults end, and the campaign judges what the devices show. */
export class SideRun {
  readonly world: SimWorld
  readonly fleet: Fleet
  readonly chaos: Chaos
  /** Marks of commands that no fault may undo. */
  readonly acknowledged = new Set<string>()
  readonly #campaign: SideCampaign
  readonly #statuses = new Map<SimDevice, PlaneStatus>()
  readonly #shown = new Map<SimDevice, Map<EntityKey, Shown>>()
  readonly #violations: string[] = []

  constructor(seed: number, campaign: SideCampaign) {
    this.#campaign = campaign
    this.world = new SimWorld(seed)
    this.fleet = new Fleet(this.world, campaign, {
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
    })
    this.chaos = new Chaos(this.fleet)
  }

  async play({ conditions }: SideSetting, script: Script<CommandWork>): Promise<SideReport> {
    const problem = await this.fleet.found().catch((error: unknown) => error)
    if (problem === undefined) await this.#playFounded(conditions, script)
    else this.report(reasonOf(problem))
    return {
      seed: this.world.seed,
      acknowledged: this.acknowledged.size,
      faults: Object.values(this.chaos.counts).reduce((sum, count) => sum + count, 0),
      virtualMs: this.world.now,
      violations: this.#violations,
    }
  }

  /** What a device shows of a watched entity. */
  shown(device: SimDevice, key: EntityKey): Shown | undefined {
    return this.#shown.get(device)?.get(key)
  }

  /** Waits until all devices hold the same commits; `hearsAll` as for {@link settle}. */
  async becomeEqual(when: string, hearsAll = true): Promise<void> {
    const statusOf = (device: SimDevice): PlaneStatus | undefined => this.#statuses.get(device)
    const difference = await settle(this.fleet, statusOf, { patienceMs: PATIENCE_MS, hearsAll })
    // What a restored disk has lost may be what a commit elsewhere waits for.
    if (difference === undefined || this.chaos.counts.restore) return
    this.report(`${when}, the devices did not become equal: ${difference}`)
  }

  /** Stops a device and starts it again. */
  async restart(device: SimDevice): Promise<void> {
    let isDone = false
    const stopping = device.stop().then(() => {
      isDone = true
    })
    await this.world.run(this.world.now + STOP_MS, () => isDone)
    if (isDone) await stopping
    else this.report(`${device.name} did not stop`)
    this.fleet.start(device)
  }

  report(what: string): void {
    if (this.#violations.length < MOST_VIOLATIONS) this.#violations.push(what)
  }

  async #playFounded(conditions: readonly Condition[], script: Script<CommandWork>): Promise<void> {
    const { world, fleet, chaos } = this
    chaos.begin(conditions)
    const stage: Stage<CommandWork> = {
      fleet,
      chaos,
      run: (untilMs, done) => world.run(untilMs, done),
      ready: () => true,
      work: ({ id, work }, incarnation) => this.#issue(`~w${id}~`, work, incarnation),
    }
    const enough = (count: number): boolean => this.acknowledged.size >= COMMANDS && count >= FAULTS
    await perform(script, stage, { enough })
    chaos.stop()
    await this.#campaign.judge()
  }

  #opened({ device, backend }: Incarnation): void {
    backend.watchStatus((status) => this.#statuses.set(device, status))
    const shown = new Map<EntityKey, Shown>()
    this.#shown.set(device, shown)
    for (const key of this.#campaign.watched) {
      const { type, id } = splitEntityKey(key)
      backend.watchEntity(type, id, (entity) => {
        if (entity.phase === 'ready') shown.set(key, entity)
        else this.report(`${key} is unreadable on ${device.name}: ${entity.problem.message}`)
      })
    }
  }

  #issue(mark: string, work: CommandWork, incarnation: Incarnation): void {
    this.#campaign.issuing?.(mark, work, incarnation)
    const { on, durability } = work
    const invocations = on.map(({ entity, command, key, by }): Invocation => ({
      ...splitEntityKey(entity as EntityKey),
      command,
      input: { mark, key, by },
    }))
    incarnation.backend.invoke(invocations, { durability }).then(
      () => {
        // What is durable only as `local` may be gone after a power cut.
        if (durability === 'synced') this.acknowledged.add(mark)
      },
      // Ignored: what was refused need not be there.
      () => undefined,
    )
  }
}
