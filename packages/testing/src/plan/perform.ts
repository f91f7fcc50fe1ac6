import type { Chaos } from '../fleet/chaos.ts'
import type { Incarnation } from '../fleet/device.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { Step } from './plan.ts'
import type { Script } from './script.ts'

/** What a performance needs of a run. */
export interface Stage<Work> {
  readonly fleet: Fleet
  readonly chaos: Chaos
  /** Lets virtual time pass until `untilMs` or until `done`. */
  run(untilMs: number, done: () => boolean): Promise<boolean>
  /** Whether a device can work now. */
  ready(incarnation: Incarnation): boolean
  work(step: Step<Work> & { readonly work: Work }, incarnation: Incarnation): void
}

/** When a performance ends: at a time, or once enough was done. */
export type Until = { readonly endMs: number } | { readonly enough: (faults: number) => boolean }

/** A run that is not over by then is broken, virtual milliseconds. */
const LONGEST_MS = 1_200_000

/** Performs a script on a founded fleet. Returns what was done, as it can be planned: to perform that is to do the same again. */
export async function perform<Work>(
  script: Script<Work>,
  stage: Stage<Work>,
  until: Until,
): Promise<{ readonly steps: readonly Step<Work>[]; readonly endMs: number }> {
  const { fleet, chaos } = stage
  const { world } = fleet
  const begin = world.now
  const last = 'endMs' in until ? until.endMs : LONGEST_MS
  const steps: Step<Work>[] = []
  let faults = 0
  const done = (): boolean => 'enough' in until && until.enough(faults)
  const ready = (): Incarnation[] => fleet.open().filter((each) => stage.ready(each))

  while (!done() && script.nextMs <= last) {
    if (await stage.run(begin + script.nextMs, done)) break
    const step = script.next(
      fleet,
      ready().map(({ device }) => device.name),
    )
    if (step && happens(step)) steps.push(step)
  }
  // On a whole millisecond, which can be planned.
  const endMs = 'endMs' in until ? until.endMs : Math.ceil(Math.min(world.now - begin, last))
  await stage.run(begin + endMs, () => false)
  return { steps, endMs }

  function happens(step: Step<Work>): boolean {
    if ('fault' in step) {
      if (!chaos.strike(step.fault)) return false
      faults++
      return true
    }
    if ('copy' in step) return chaos.copy(step.id, step.device)
    const incarnation = ready().find(({ device }) => device.name === step.device)
    if (incarnation) stage.work(step, incarnation)
    return incarnation !== undefined
  }
}
