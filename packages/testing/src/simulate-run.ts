import { createPlane, type Plane, type PlaneStatus } from '@peerplane/runtime'

import { Chaos } from './fleet/chaos.ts'
import type { Incarnation } from './fleet/device.ts'
import { chooseFaults } from './fleet/faults.ts'
import { Fleet } from './fleet/fleet.ts'
import { planConditions, planDevices } from './plan/generate.ts'
import { perform, type Stage } from './plan/perform.ts'
import type { Plan } from './plan/plan.ts'
import { improvised, planned, type Rhythm, type Script } from './plan/script.ts'
import type { Recorder } from './record/recorder.ts'
import type { SimulatedDevice, Simulation } from './simulate.ts'
import { SimRandom } from './world/random.ts'
import { SimWorld } from './world/world.ts'

/** What a step of the application does is known to the application alone. */
export type ScenarioPlan = Plan<'step'>

/** What is wrong at the end of a run. */
export interface Failure {
  readonly rule: 'invariant' | 'stuck'
  /** A device, or `fleet`. */
  readonly where: string
  readonly error: unknown
}

/** A run: what it did, and what is wrong with its end. */
export interface ScenarioRun {
  readonly plan: ScenarioPlan
  readonly failure: Failure | undefined
}

/** Longest virtual time for a check, and for devices to become equal, milliseconds. */
const PATIENCE_MS = 120_000

/** How long nothing may change before devices count as equal: longer than the interval of anti-entropy. */
const STILL_MS = 15_000

const RHYTHM: Rhythm = { workMs: 300, faultMs: 1000, copyMs: 2100 }

/** Runs one seed. */
export function performScenario(simulation: Simulation, seed: number): Promise<ScenarioRun> {
  const { steps = 50 } = simulation
  const random = new SimRandom(`seed ${seed}`).stream('plan')
  const devices = planDevices(random, simulation.devices ?? 3)
  const chosen = chooseFaults(random)
  const allowed = new Set(simulation.faults ?? chosen)
  const kinds = new Set([...chosen].filter((kind) => allowed.has(kind)))
  const setting = { seed, devices, conditions: planConditions(random, kinds, devices) }
  const script = improvised(random, kinds, RHYTHM, (): 'step' => 'step')
  return play(simulation, setting, script, { steps })
}

/** Runs a plan. */
export function runScenario(
  simulation: Simulation,
  plan: ScenarioPlan,
  recorder?: Recorder,
): Promise<ScenarioRun> {
  return play(simulation, plan, planned(plan), plan, recorder)
}

async function play(
  simulation: Simulation,
  { seed, devices, conditions }: Omit<ScenarioPlan, 'steps' | 'endMs'>,
  script: Script<'step'>,
  until: { readonly steps: number } | { readonly endMs: number },
  recorder?: Recorder,
): Promise<ScenarioRun> {
  const { entities } = simulation
  const world = new SimWorld(seed)
  const scenario = simulation.scenario()
  const statuses = new Map<Incarnation, PlaneStatus>()
  const planes = new Map<Incarnation, Plane>()
  const fleet = new Fleet(
    world,
    { devices, entities: () => entities, recorder },
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
  recorder?.start(world, devices, conditions)
  await fleet.found()
  recorder?.begin()
  const chaos = new Chaos(fleet, (fault, phase) => recorder?.fault(fault, phase))
  chaos.begin(conditions)
  let worked = 0
  const stage: Stage<'step'> = {
    fleet,
    chaos,
    run: (untilMs, done) => world.run(untilMs, done),
    ready: () => true,
    work: ({ id }, incarnation) => {
      worked++
      const step = (): void => {
        scenario.step(deviceOf(incarnation, `step ${id}`)).catch(() => undefined)
      }
      if (recorder) recorder.step(id, step)
      else step()
    },
  }
  const end = 'endMs' in until ? { endMs: until.endMs } : { enough: () => worked >= until.steps }
  const done = await perform(script, stage, end)
  chaos.end()
  recorder?.healed()
  const failure = await judge()
  if (failure) recorder?.violated({ ...failure, what: messageOf(failure.error) })
  return { plan: { seed, devices, conditions, ...done }, failure }

  async function judge(): Promise<Failure | undefined> {
    const unequal = await becomeEqual(world, () =>
      fleet.devices.map(({ incarnation }) => incarnation && statuses.get(incarnation)),
    )
    if (unequal) return { rule: 'stuck', where: 'fleet', error: new Error(unequal) }
    for (const incarnation of fleet.open()) {
      const { name } = incarnation.device
      const check = async (): Promise<void> =>
        scenario.check(deviceOf(incarnation, `check ${name}`))
      try {
        await settled(world, check)
      } catch (error) {
        return { rule: 'invariant', where: name, error }
      }
    }
    return undefined
  }
}

/** What an error says. */
export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)

/** Waits until devices are equal; what is wrong if they do not become so. */
async function becomeEqual(
  world: SimWorld,
  read: () => readonly (PlaneStatus | undefined)[],
): Promise<string | undefined> {
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
    if (world.now - still >= STILL_MS) return undefined
  }
  return `the devices did not become equal: ${before}`
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
