import type { Entity } from '@peerplane/core'
import { createPlane, type Plane, type PlaneStatus } from '@peerplane/runtime'

import { Chaos } from './fleet/chaos.ts'
import type { Incarnation } from './fleet/device.ts'
import { chooseFaults, type FaultKind } from './fleet/faults.ts'
import { Fleet } from './fleet/fleet.ts'
import { planConditions, planDevices } from './plan/generate.ts'
import { perform, type Stage } from './plan/perform.ts'
import type { Plan } from './plan/plan.ts'
import { improvised, type Rhythm, type Script } from './plan/script.ts'
import { SimRandom } from './world/random.ts'
import { SimWorld } from './world/world.ts'

/** One device, as a step or a check finds it. */
export interface SimulatedDevice {
  readonly name: string
  readonly plane: Plane
  readonly random: SimRandom
}

/** What one run does and what must hold of it. It is made anew for each seed, so it can count. */
export interface Scenario {
  /** Uses the application on one device: a command, or a few. A rejection ends the step, not the run: devices crash in the middle of commands. */
  step(device: SimulatedDevice): Promise<unknown>
  /** Called for every device after all faults are over and all devices are equal. Throws, or rejects, when an invariant is broken. */
  check(device: SimulatedDevice): Promise<void> | void
}

/** A campaign over an application's own entities. */
export interface Simulation {
  readonly entities: readonly Entity[]
  readonly scenario: () => Scenario
  /** Default 3. */
  readonly devices?: number
  /** Steps of each run. Default 50. */
  readonly steps?: number
  /** How many runs. Default 100. */
  readonly seeds?: number
  /** Seed of the first run. Default 1. */
  readonly first?: number
  /** Kinds of fault to choose from; default all. Each run has a random half of them. */
  readonly faults?: readonly FaultKind[]
}

/** An invariant that does not hold, and the seed that shows it. */
export class InvariantBroken extends Error {
  readonly seed: number

  constructor(seed: number, device: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super(`seed ${seed}, ${device}: ${reason} (replay with first: ${seed}, seeds: 1)`, { cause })
    this.name = 'InvariantBroken'
    this.seed = seed
  }
}

/** Longest virtual time for a check, and for devices to become equal, milliseconds. */
const PATIENCE_MS = 120_000

/** How long nothing may change before devices count as equal: longer than the interval of anti-entropy. */
const STILL_MS = 15_000

/**
 * Runs an application's entities on simulated devices: whole runtimes on simulated disks and clocks over a simulated network, with crashes,
 * power cuts, partitions and the rest, many runs in the time of one real one. The same seed gives the same run.
 *
 * Throws {@link InvariantBroken} for the first seed that breaks an invariant, or whose devices do not become equal.
 */
export async function simulate(simulation: Simulation): Promise<void> {
  const { first = 1, seeds = 100 } = simulation
  for (let seed = first; seed < first + seeds; seed++) await simulateSeed(simulation, seed)
}

async function simulateSeed(simulation: Simulation, seed: number): Promise<void> {
  const { steps = 50 } = simulation
  const random = new SimRandom(`seed ${seed}`).stream('plan')
  const devices = planDevices(random, simulation.devices ?? 3)
  const chosen = chooseFaults(random)
  const allowed = new Set(simulation.faults ?? chosen)
  const kinds = new Set([...chosen].filter((kind) => allowed.has(kind)))
  const setting = { seed, devices, conditions: planConditions(random, kinds, devices) }
  const script = improvised(random, kinds, RHYTHM, (): 'step' => 'step')
  await runScenario(simulation, setting, script, { steps })
}

const RHYTHM: Rhythm = { workMs: 300, faultMs: 1000, copyMs: 2100 }

/** What a run starts with. */
type Setting = Omit<Plan<'step'>, 'steps' | 'endMs'>

async function runScenario(
  simulation: Simulation,
  setting: Setting,
  script: Script<'step'>,
  until: { readonly steps: number } | { readonly endMs: number },
): Promise<void> {
  const { entities } = simulation
  const { seed, devices, conditions } = setting
  const world = new SimWorld(seed)
  const scenario = simulation.scenario()
  const statuses = new Map<Incarnation, PlaneStatus>()
  const planes = new Map<Incarnation, Plane>()
  const fleet = new Fleet(
    world,
    { devices, entities: () => entities },
    {
      opened: (incarnation) => {
        planes.set(incarnation, createPlane(entities, incarnation.backend))
        incarnation.backend.watchStatus((status) => statuses.set(incarnation, status))
      },
      ended: (incarnation) => planes.delete(incarnation),
      failed: () => undefined,
      powerCut: () => undefined,
      copied: () => undefined,
      restored: () => undefined,
    },
  )
  const deviceOf = (incarnation: Incarnation, purpose: string): SimulatedDevice => ({
    name: incarnation.device.name,
    plane: planes.get(incarnation)!,
    random: world.random.stream(purpose),
  })
  await fleet.found()
  const chaos = new Chaos(fleet)
  chaos.begin(conditions)
  let worked = 0
  const stage: Stage<'step'> = {
    fleet,
    chaos,
    run: (untilMs, done) => world.run(untilMs, done),
    ready: () => true,
    work: ({ id }, incarnation) => {
      worked++
      scenario.step(deviceOf(incarnation, `step ${id}`)).catch(() => undefined)
    },
  }
  const end = 'endMs' in until ? until : { enough: () => worked >= until.steps }
  await perform(script, stage, end)
  chaos.end()
  await becomeEqual(world, () =>
    fleet.devices.map(({ incarnation }) => incarnation && statuses.get(incarnation)),
  )
  for (const incarnation of fleet.open()) {
    const { name } = incarnation.device
    await settled(world, async () => scenario.check(deviceOf(incarnation, `check ${name}`))).catch(
      (error: unknown) => {
        throw new InvariantBroken(seed, name, error)
      },
    )
  }

  async function becomeEqual(
    world: SimWorld,
    read: () => readonly (PlaneStatus | undefined)[],
  ): Promise<void> {
    const end = world.now + PATIENCE_MS
    let still = world.now
    let before = ''
    while (world.now < end) {
      await world.run(world.now + 1000)
      const now = JSON.stringify(
        read().map((status) => [status?.commits, status?.waiting, status?.pendingCommands]),
      )
      if (now !== before || !isDone(read())) still = world.now
      before = now
      if (world.now - still >= STILL_MS) return
    }
    throw new InvariantBroken(
      seed,
      'fleet',
      new Error(`the devices did not become equal: ${before}`),
    )
  }
}

function isDone(statuses: readonly (PlaneStatus | undefined)[]): boolean {
  const commits = statuses[0]?.commits
  return statuses.every(
    (status) =>
      status?.commits === commits && status?.waiting === 0 && status.pendingCommands === 0,
  )
}

/** Lets virtual time pass until `work` is done. */
async function settled(world: SimWorld, work: () => Promise<void>): Promise<void> {
  let done = false
  const finish = (): void => {
    done = true
  }
  const result = work()
  result.then(finish, finish)
  if (!(await world.run(world.now + PATIENCE_MS, () => done)))
    throw new Error('the check did not end')
  return result
}
