import type { Entity } from '@peerplane/core'
import type { Plane } from '@peerplane/runtime'

import type { FaultKind } from './fleet/faults.ts'
import { Recorder } from './record/recorder.ts'
import type { Recording } from './record/recording.ts'
import { tellRun } from './record/story.ts'
import { shrink } from './shrink/shrink.ts'
import {
  messageOf,
  performScenario,
  runScenario,
  type Failure,
  type ScenarioPlan,
} from './simulate-run.ts'
import type { SimRandom } from './world/random.ts'

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

/** An invariant that does not hold, the seed that shows it, and the smallest run found in which it does not hold either. */
export class InvariantBroken extends Error {
  readonly seed: number
  /** The small run: what was done. */
  readonly plan: ScenarioPlan
  /** The small run: what happened. */
  readonly recording: Recording

  constructor(failure: Failure, plan: ScenarioPlan, recording: Recording) {
    const { seed } = plan
    super(
      `seed ${seed}, ${failure.where}: ${messageOf(failure.error)} (replay with first: ${seed}, seeds: 1)\n\n${tellRun(plan, recording)}`,
      { cause: failure.error },
    )
    this.name = 'InvariantBroken'
    this.seed = seed
    this.plan = plan
    this.recording = recording
  }
}

/** Runs that may be spent on making a failing run small. */
const SHRINK_RUNS = 300

/**
 * Runs an application's entities on simulated devices: whole runtimes on simulated disks and clocks over a simulated network, with crashes,
 * power cuts, partitions and the rest, many runs in the time of one real one. The same seed gives the same run.
 *
 * Throws {@link InvariantBroken} for the first seed that breaks an invariant, or whose devices do not become equal. Before that, devices,
 * steps and faults that do not matter are left out; the message tells what happens in what remains.
 */
export async function simulate(simulation: Simulation): Promise<void> {
  const { first = 1, seeds = 100 } = simulation
  for (let seed = first; seed < first + seeds; seed++) {
    const { plan, failure } = await performScenario(simulation, seed)
    if (failure) throw await smallest(simulation, plan, failure)
  }
}

async function smallest(
  simulation: Simulation,
  plan: ScenarioPlan,
  failure: Failure,
): Promise<InvariantBroken> {
  const shrunk = await shrink(plan, {
    runs: SHRINK_RUNS,
    fails: async (candidate) =>
      (await runScenario(simulation, candidate)).failure?.rule === failure.rule,
  })
  const recorder = new Recorder()
  const small = await runScenario(simulation, shrunk.plan, recorder)
  return new InvariantBroken(small.failure ?? failure, shrunk.plan, recorder.recording())
}
