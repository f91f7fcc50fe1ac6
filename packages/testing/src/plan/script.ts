import type { Fleet } from '../fleet/fleet.ts'
import type { SimRandom } from '../world/random.ts'
import { planFault, planHarm } from './generate.ts'
import type { Habits } from './habits.ts'
import type { Fault, Plan, Step } from './plan.ts'

/** Where the steps of a run come from: a plan, or a seed that makes them up while the run goes on. */
export interface Script<Work> {
  /** When the next step is due, milliseconds after the beginning; `Infinity` if there is none. */
  readonly nextMs: number
  /** The step that is due; `undefined` if nothing can be done at this moment. `ready` are the devices that can work. */
  next(fleet: Fleet, ready: readonly string[]): Step<Work> | undefined
}

/** The steps of a plan. */
export function planned<Work>({ steps }: Plan<Work>): Script<Work> {
  let index = 0
  return {
    get nextMs() {
      return steps[index]?.atMs ?? Infinity
    },
    next: () => steps[index++],
  }
}

/** Endless steps made up from a random stream, each one for the fleet as it is then. */
export function improvised<Work>(
  random: SimRandom,
  { kinds, rhythm, harms = [], restless }: Habits,
  compose: (random: SimRandom) => Work,
): Script<Work> {
  const copies: { id: number; device: string }[] = []
  const due = {
    work: 0,
    fault: wait(rhythm.faultMs),
    copy: kinds.has('restore') ? wait(rhythm.copyMs) : Infinity,
  }
  let lastId = 0
  /** The device of the current burst. */
  let busy: string | undefined
  /** Strikes as soon as a command is in progress on its device. */
  let held: Fault | undefined
  function wait(meanMs: number): number {
    return Math.ceil(random.exponential(meanMs))
  }
  const body = (
    sort: keyof typeof due,
    atMs: number,
    fleet: Fleet,
    ready: readonly string[],
  ): Record<string, unknown> | undefined => {
    if (sort === 'fault') {
      const fault =
        held ??
        planHarm(random, harms, fleet) ??
        planFault(random, { kinds, restless }, fleet, copies)
      if (fault && ready.includes(deviceOf(fault)) && random.chance(restless ? 0.95 : 0.5)) {
        // An end matters most in the middle of work.
        if (!held && isEnd(fault)) {
          held = fault
          due.fault = atMs
          return { work: compose(random), device: fault.device }
        }
        // And a failing disk to a device that writes.
        if (isOfDisk(fault)) {
          busy = fault.device
          due.work = atMs
        }
      }
      held = undefined
      return fault && { fault }
    }
    if (sort === 'work') {
      if (ready.length === 0) return undefined
      const device = busy !== undefined && ready.includes(busy) ? busy : random.pick(ready)
      busy = due.work === atMs ? device : undefined
      return { work: compose(random), device }
    }
    const open = fleet.open()
    return open.length > 0 ? { copy: true, device: random.pick(open).device.name } : undefined
  }
  return {
    get nextMs() {
      return Math.min(due.work, due.fault, due.copy)
    },
    next(fleet, ready) {
      const atMs = Math.min(due.work, due.fault, due.copy)
      const sort = due.fault === atMs ? 'fault' : due.copy === atMs ? 'copy' : 'work'
      // Bursts and pauses: several commands of a device in one turn make one batch.
      if (sort === 'work') due.work += random.chance(0.45) ? 0 : wait(rhythm.workMs)
      else due[sort] += wait(sort === 'fault' ? rhythm.faultMs : rhythm.copyMs)
      const what = body(sort, atMs, fleet, ready)
      if (!what) return undefined
      const step = { id: ++lastId, atMs, ...what } as Step<Work>
      if ('copy' in step) copies.push({ id: step.id, device: step.device })
      return step
    },
  }
}

type FaultOf<Kind extends Fault['kind']> = Extract<Fault, { readonly kind: Kind }>

const isEnd = (fault: Fault): fault is FaultOf<'crash' | 'power-cut' | 'restart'> =>
  fault.kind === 'crash' || fault.kind === 'power-cut' || fault.kind === 'restart'

const isOfDisk = (fault: Fault): fault is FaultOf<'disk-errors' | 'disk-full'> =>
  fault.kind === 'disk-errors' || fault.kind === 'disk-full'

const deviceOf = (fault: Fault): string => ('device' in fault ? fault.device : '')
