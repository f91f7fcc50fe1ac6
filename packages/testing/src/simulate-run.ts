import { Rejected } from '@peerplane/core'
import { createPlane, type Plane, type PlaneStatus } from '@peerplane/runtime'

import { Chaos } from './fleet/chaos.ts'
import type { Incarnation } from './fleet/device.ts'
import { chooseFaults, type FaultKind } from './fleet/fault-kinds.ts'
import { Fleet } from './fleet/fleet.ts'
import { settle } from './fleet/settle.ts'
import { planConditions, planDevices, planRareWays } from './plan/generate.ts'
import { perform, type Stage } from './plan/perform.ts'
import type { Plan } from './plan/plan.ts'
import type { Rhythm } from './plan/habits.ts'
import { improvised, planned, type Script } from './plan/script.ts'
import type { Recorder } from './record/recorder.ts'
import type { Performed, SimulatedDevice, Simulation } from './simulation.ts'
import { SimRandom } from './world/random.ts'
import { SimWorld } from './world/world.ts'

/** Its work are names of actions: what they do is known to the application alone. */
export type WorkloadPlan = Plan<string>

/** What is wrong at the end of a run. */
export interface Failure {
  readonly rule: 'invariant' | 'stuck'
  /** Name of the invariant that is broken. */
  readonly invariant?: string
  /** A device, or `fleet`. */
  readonly where: string
  readonly error: unknown
}

/** A run: what it did, and what is wrong with its end. */
export interface WorkloadRun {
  readonly plan: WorkloadPlan
  readonly failure: Failure | undefined
  /** Actions that were. */
  readonly acknowledged: number
  /** Why the first action failed that did. */
  readonly refusal: unknown
}

/** Longest virtual time for an invariant, and for devices to become equal, milliseconds. */
const PATIENCE_MS = 120_000

const RHYTHM: Rhythm = { workMs: 300, faultMs: 1000, copyMs: 2100 }

/** Runs one seed. */
export function performWorkload(simulation: Simulation, seed: number): Promise<WorkloadRun> {
  const { steps = 50 } = simulation
  const random = new SimRandom(`seed ${seed}`).stream('plan')
  const devices = planDevices(random, simulation.devices ?? 3)
  const { faults } = simulation
  const isAllowed = (kind: FaultKind): boolean =>
    faults ? faults.includes(kind) : kind !== 'restore'
  const kinds = new Set([...chooseFaults(random)].filter(isAllowed))
  const conditions = planConditions(random, kinds, devices)
  const setting = { seed, devices, conditions, rareWays: planRareWays(random) }
  const actions = Object.keys(simulation.workload)
  const script = improvised(random, { kinds, rhythm: RHYTHM }, (choices) => choices.pick(actions))
  return play(simulation, setting, script, { steps })
}

/** Runs a plan. */
export function runWorkload(
  simulation: Simulation,
  plan: WorkloadPlan,
  recorder?: Recorder,
): Promise<WorkloadRun> {
  return play(simulation, plan, planned(plan), plan, recorder)
}

/** What a run is made of. */
type Setting = Omit<WorkloadPlan, 'steps' | 'endMs'>

async function play(
  simulation: Simulation,
  setting: Setting,
  script: Script<string>,
  until: { readonly steps: number } | { readonly endMs: number },
  recorder?: Recorder,
): Promise<WorkloadRun> {
  const { seed, devices, conditions, rareWays } = setting
  const actors = new Actors(simulation, setting, recorder)
  const { world, fleet } = actors
  recorder?.start(world, devices, conditions)
  await fleet.found()
  recorder?.begin()
  const chaos = new Chaos(fleet, (fault, phase) => recorder?.fault(fault, phase))
  chaos.begin(conditions)
  const stage: Stage<string> = {
    fleet,
    chaos,
    run: (untilMs, done) => world.run(untilMs, done),
    ready: () => true,
    work: ({ id, work }, incarnation) => void actors.act(id, work, incarnation),
  }
  const end =
    'endMs' in until
      ? { endMs: until.endMs }
      : { enough: () => actors.performed.length >= until.steps }
  const done = await perform(script, stage, end)
  chaos.stop()
  recorder?.healed()
  const failure = await actors.judge()
  if (failure) recorder?.violated({ ...failure, what: textOf(failure) })
  return {
    plan: { seed, devices, conditions, rareWays, ...done },
    failure,
    acknowledged: actors.performed.filter(({ outcome }) => outcome === 'acknowledged').length,
    refusal: actors.refusal,
  }
}

/** The devices of a run, and what was done on them. */
class Actors {
  readonly world: SimWorld
  readonly fleet: Fleet
  readonly #simulation: Simulation
  readonly #recorder: Recorder | undefined
  readonly #statuses = new Map<Incarnation, PlaneStatus>()
  readonly #planes = new Map<Incarnation, Plane>()
  readonly #performed: { -readonly [Key in keyof Performed]: Performed[Key] }[] = []
  #refusal: unknown

  constructor(simulation: Simulation, { seed, devices, rareWays }: Setting, recorder?: Recorder) {
    const { entities } = simulation
    this.#simulation = simulation
    this.#recorder = recorder
    this.world = new SimWorld(seed)
    this.fleet = new Fleet(
      this.world,
      { devices, entities: () => entities, rareWays, recorder },
      {
        opened: (incarnation) => {
          this.#planes.set(incarnation, createPlane(entities, incarnation.backend))
          incarnation.backend.watchStatus((status) => this.#statuses.set(incarnation, status))
        },
        ended: (incarnation) => this.#planes.delete(incarnation),
        failed: () => undefined,
        closed: () => undefined,
        powerCut: () => undefined,
        copied: () => undefined,
        restored: () => undefined,
      },
    )
  }

  /** All actions that were begun, in their order. */
  get performed(): readonly Performed[] {
    return this.#performed
  }

  /** Why the first action failed that did. */
  get refusal(): unknown {
    return this.#refusal
  }

  /** Performs an action of the workload; `id` is its step. */
  async act(id: number, action: string, incarnation: Incarnation): Promise<void> {
    const device = this.#deviceOf(incarnation, `step ${id}`, this.#planeOf(incarnation, id))
    const entry = { action, device: device.name, outcome: 'unknown' as Performed['outcome'] }
    const own = this.#performed[this.#performed.push({ ...entry, result: undefined }) - 1]!
    try {
      own.result = await this.#simulation.workload[action]!(device)
      own.outcome = 'acknowledged'
    } catch (error) {
      this.#refusal ??= error
      this.#recorder?.stepFailed(id, error)
      if (error instanceof Rejected) own.outcome = 'refused'
    }
  }

  /** What is wrong when all faults are over. */
  async judge(): Promise<Failure | undefined> {
    const unequal = await settle(
      this.fleet,
      ({ incarnation }) => incarnation && this.#statuses.get(incarnation),
      { patienceMs: PATIENCE_MS },
    )
    if (unequal !== undefined) {
      const error = new Error(`the devices did not become equal: ${unequal}`)
      return { rule: 'stuck', where: 'fleet', error }
    }
    for (const incarnation of this.fleet.open()) {
      const { name } = incarnation.device
      for (const [invariant, check] of Object.entries(this.#simulation.invariants)) {
        const device = this.#deviceOf(incarnation, `${invariant} on ${name}`)
        try {
          await settled(this.world, async () => check(device, this.#performed))
        } catch (error) {
          return { rule: 'invariant', invariant, where: name, error }
        }
      }
    }
    return undefined
  }

  #deviceOf(
    incarnation: Incarnation,
    purpose: string,
    plane: Plane = this.#planes.get(incarnation)!,
  ): SimulatedDevice {
    const random = this.world.random.stream(purpose)
    return { name: incarnation.device.name, plane, random }
  }

  /** Of its own for each action, so that its commands are known to be its, whenever it issues them. */
  #planeOf({ backend }: Incarnation, id: number): Plane {
    return createPlane(this.#simulation.entities, this.#recorder?.during(id, backend) ?? backend)
  }
}

/** What is wrong, in words. */
export function textOf({ invariant, error }: Failure): string {
  const reason = error instanceof Error ? error.message : String(error)
  return invariant === undefined ? reason : `${invariant}: ${reason}`
}

/** Lets virtual time pass until `work` is done. */
async function settled(world: SimWorld, work: () => Promise<void>): Promise<void> {
  let done = false
  const finish = (): void => {
    done = true
  }
  const result = work()
  result.then(finish, finish)
  if (!(await world.run(world.now + PATIENCE_MS, () => done))) throw new Error('it does not end')
  return result
}
