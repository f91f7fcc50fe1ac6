import type { Entity } from '@peerplane/core'
import type { Plane } from '@peerplane/runtime'

import type { FaultKind } from './fleet/faults.ts'
import { Recorder } from './record/recorder.ts'
import type { Recording } from './record/recording.ts'
import { tellRun } from './record/story.ts'
import { shrink } from './shrink/shrink.ts'
import {
  performWorkload,
  runWorkload,
  textOf,
  type Failure,
  type WorkloadPlan,
} from './simulate-run.ts'
import type { SimRandom } from './world/random.ts'

/** One device, as a workload or an invariant finds it. */
export interface SimulatedDevice {
  readonly name: string
  readonly plane: Plane
  /** Decided by the seed: all that an action chooses has to come from here. */
  readonly random: SimRandom
}

/**
 * One thing that people do with the application: a command, or a few. A rejection ends the action, not the run: devices crash in the middle
 * of commands. What it resolves with is kept as {@link Performed.result}.
 */
export type Action = (device: SimulatedDevice) => Promise<unknown>

/** What came of one action. */
export interface Performed {
  /** Its name in the workload. */
  readonly action: string
  readonly device: string
  /**
   * `acknowledged`: it resolved. `refused`: a handler rejected. `unknown`: it failed in another way, or its device went down before the
   * answer; its effects may be there or not.
   */
  readonly outcome: 'acknowledged' | 'refused' | 'unknown'
  /** What it resolved with. */
  readonly result: unknown
}

/**
 * A rule about the end of a run, when all faults are over and all devices are equal. It is called for every device, with all that was done
 * on all of them, in order. Throws, or rejects, when it is broken.
 */
export type Invariant = (
  device: SimulatedDevice,
  done: readonly Performed[],
) => Promise<void> | void

/** A campaign over an application's own entities. */
export interface Simulation {
  readonly entities: readonly Entity[]
  /** What people do, by name; each step of a run is one of them on some device. */
  readonly workload: Readonly<Record<string, Action>>
  /** What must hold, by name. */
  readonly invariants: Readonly<Record<string, Invariant>>
  /** Default 3. */
  readonly devices?: number
  /** Steps of each run. Default 50. */
  readonly steps?: number
  /** How many runs. Default 100. */
  readonly seeds?: number
  /** Seed of the first run. Default 1. */
  readonly first?: number
  /**
   * Kinds of fault to choose from; each run has a random half of them. Default: all but `restore`, since a disk that is set back to an older
   * copy may lose what was acknowledged and had not left the device.
   */
  readonly faults?: readonly FaultKind[]
}

/** An invariant that does not hold, the seed that shows it, and the smallest run found in which it does not hold either. */
export class InvariantBroken extends Error {
  readonly seed: number
  /** The small run: what was done. */
  readonly plan: WorkloadPlan
  /** The small run: what happened. */
  readonly recording: Recording

  constructor(failure: Failure, plan: WorkloadPlan, recording: Recording) {
    const { seed } = plan
    super(
      `seed ${seed}, ${failure.where}: ${textOf(failure)} (replay with first: ${seed}, seeds: 1)\n\n${tellRun(plan, recording)}`,
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
 * steps and faults that do not matter are left out; the message tells what happens in what remains. Throws an `Error` when no action was
 * acknowledged in any run.
 */
export async function simulate(simulation: Simulation): Promise<void> {
  const { first = 1, seeds = 100 } = simulation
  let acknowledged = 0
  let refusal: unknown
  for (let seed = first; seed < first + seeds; seed++) {
    const run = await performWorkload(simulation, seed)
    if (run.failure) throw await smallest(simulation, run.plan, run.failure)
    acknowledged += run.acknowledged
    refusal ??= run.refusal
  }
  if (acknowledged === 0)
    throw new Error('no action was ever acknowledged, so nothing was tested', { cause: refusal })
}

async function smallest(
  simulation: Simulation,
  plan: WorkloadPlan,
  failure: Failure,
): Promise<InvariantBroken> {
  const shrunk = await shrink(plan, {
    runs: SHRINK_RUNS,
    fails: async (candidate) => {
      const { failure: found } = await runWorkload(simulation, candidate)
      return found?.rule === failure.rule && found.invariant === failure.invariant
    },
  })
  const recorder = new Recorder()
  const small = await runWorkload(simulation, shrunk.plan, recorder)
  return new InvariantBroken(small.failure ?? failure, shrunk.plan, recorder.recording())
}
