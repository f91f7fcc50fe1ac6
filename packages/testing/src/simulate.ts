import { takeSimulation } from './options.ts'
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
import type { Simulation } from './simulation.ts'

/** The error that reports a broken invariant. It contains the seed of a run that breaks the invariant, and the smallest such run that was found. */
export class InvariantBroken extends Error {
  readonly seed: number
  /** The plan of the smallest run that breaks the invariant. */
  readonly plan: WorkloadPlan
  /** The events of the smallest run that breaks the invariant. */
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
 * Runs the entities of an application on simulated devices. The simulated devices run whole runtimes on simulated disks, clocks and networks, with
 * faults such as crashes, power cuts and partitions. Because time is simulated, many runs take no longer than one run in real time. Peerplane
 * contains points at which it can take a branch that is rare in real use, like BUGGIFY in FoundationDB. Every run enables a random half of the points
 * at which Peerplane can take a rare branch. The same seed gives the same run.
 *
 * Rejects with {@link InvariantBroken} for the first seed whose run breaks an invariant, or does not end with equal devices. Before it rejects,
 * `simulate` makes the failing run smaller: it removes devices, steps and faults that do not matter for the failure. The message of the error
 * describes the events of the smallest run. Rejects with an `Error` if no action was acknowledged in any run, and with `invalid-input` or
 * `invalid-declaration` for an invalid simulation.
 */
export async function simulate(given: Simulation): Promise<void> {
  const simulation = takeSimulation(given)
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
