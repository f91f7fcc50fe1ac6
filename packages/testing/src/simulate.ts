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
 * power cuts, partitions and the rest, many runs in the time of one real one. Every run also takes a random half of the rare branches of the
 * product. The same seed gives the same run.
 *
 * Throws {@link InvariantBroken} for the first seed that breaks an invariant, or whose devices do not become equal. Before that, devices,
 * steps and faults that do not matter are left out; the message describes what happens in the rest. Throws an `Error` when no action was
 * acknowledged in any run, and `invalid-input` or `invalid-declaration` for an invalid simulation.
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
