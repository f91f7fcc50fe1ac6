import { devicesOf, type Plan, type Step } from '../plan/plan.ts'
import { minimize } from './minimize.ts'

/** What shrinking needs to know of the runs it is about. */
export interface ShrinkOptions<Work> {
  /** Runs a plan and says whether it still fails in the same way. */
  readonly fails: (plan: Plan<Work>) => Promise<boolean>
  /** Plans that do less than this one, beyond leaving out steps; the better ones first. */
  readonly simpler?: (plan: Plan<Work>) => Iterable<Plan<Work>>
  /** The most runs that shrinking may take. */
  readonly runs: number
  /** Whether to end early. */
  readonly expired?: (() => boolean) | undefined
}

/** The smallest plan that was found to fail, and how many runs that took. */
export interface Shrunk<Work> {
  readonly plan: Plan<Work>
  readonly runs: number
}

/**
 * Makes a failing plan smaller while it goes on to fail: the end first, then whole devices and kinds of fault, then single conditions and
 * steps (delta debugging: Zeller and Hildebrandt 2002), then idle time; all over again until nothing helps or the budget is used up.
 */
export async function shrink<Work>(
  plan: Plan<Work>,
  options: ShrinkOptions<Work>,
): Promise<Shrunk<Work>> {
  const tried = new Map<string, boolean>()
  let runs = 0
  const isOver = (): boolean => runs >= options.runs || options.expired?.() === true
  const fails = async (candidate: Plan<Work>): Promise<boolean> => {
    const name = JSON.stringify(candidate)
    const known = tried.get(name)
    if (known !== undefined) return known
    if (isOver()) return false
    runs++
    const verdict = await options.fails(candidate)
    tried.set(name, verdict)
    return verdict
  }
  let best = await shortest(plan, fails)
  for (let before = ''; before !== JSON.stringify(best) && !isOver();) {
    before = JSON.stringify(best)
    best = await greedy(best, withoutDevices, fails)
    best = await greedy(best, withoutMembers, fails)
    best = await greedy(best, withoutKinds, fails)
    best = await fewerParts(best, fails)
    if (options.simpler) best = await greedy(best, (each) => options.simpler!(each), fails)
    best = await greedy(best, withLessTime, fails)
  }
  return { plan: best, runs }
}

type Fails<Work> = (plan: Plan<Work>) => Promise<boolean>

/** The shortest beginning that fails, if failing went on once it began. */
async function shortest<Work>(plan: Plan<Work>, fails: Fails<Work>): Promise<Plan<Work>> {
  const beginning = (count: number): Plan<Work> => ({
    ...plan,
    steps: plan.steps.slice(0, count),
    endMs: plan.steps[count]?.atMs ?? plan.endMs,
  })
  let passes = 0
  let failing = plan.steps.length
  while (failing - passes > 1) {
    const middle = (passes + failing) >> 1
    if (await fails(beginning(middle))) failing = middle
    else passes = middle
  }
  return beginning(failing)
}

/** Takes every candidate that is another plan and fails, until none is left. */
async function greedy<Work>(
  plan: Plan<Work>,
  candidates: (plan: Plan<Work>) => Iterable<Plan<Work>>,
  fails: Fails<Work>,
): Promise<Plan<Work>> {
  let best = plan
  for (let found = true; found;) {
    found = false
    const name = JSON.stringify(best)
    for (const candidate of candidates(best)) {
      if (JSON.stringify(candidate) === name || !(await fails(candidate))) continue
      best = candidate
      found = true
      break
    }
  }
  return best
}

async function fewerParts<Work>(plan: Plan<Work>, fails: Fails<Work>): Promise<Plan<Work>> {
  const parts = [...plan.conditions, ...plan.steps]
  const assemble = (kept: readonly (typeof parts)[number][]): Plan<Work> => {
    const set = new Set(kept)
    return {
      ...plan,
      conditions: plan.conditions.filter((each) => set.has(each)),
      steps: plan.steps.filter((each) => set.has(each)),
    }
  }
  return assemble(await minimize(parts, (kept) => fails(assemble(kept))))
}

function* withoutDevices<Work>(plan: Plan<Work>): Iterable<Plan<Work>> {
  if (plan.devices.length <= 2) return
  for (const { name } of plan.devices) yield withoutDevice(plan, name)
}

/** The plan for a fleet without one device; its neighbours stay connected. */
export function withoutDevice<Work>(plan: Plan<Work>, name: string): Plan<Work> {
  const gone = plan.devices.find((device) => device.name === name)!
  const neighbours = [
    ...gone.dial,
    ...plan.devices.flatMap((device) => (device.dial.includes(name) ? [device.name] : [])),
  ]
  const heir = neighbours[0]
  const devices = plan.devices
    .filter((device) => device !== gone)
    .map((device) => {
      const dial = device.dial.filter((each) => each !== name)
      const inherits = device.name === heir ? neighbours.slice(1) : []
      const all = [...new Set([...dial, ...inherits])].filter((each) => each !== device.name)
      return { ...device, dial: all }
    })
  const members = plan.members?.map((member) => ({
    ...member,
    dial: member.dial.map((each) => (each === name ? devices[0]!.name : each)),
  }))
  return {
    ...plan,
    devices,
    ...(members && { members }),
    conditions: plan.conditions.filter((condition) =>
      'device' in condition
        ? condition.device !== name
        : !('from' in condition && (condition.from === name || condition.to === name)),
    ),
    steps: plan.steps.flatMap((step) => without(step, name)),
  }
}

function without<Work>(step: Step<Work>, name: string): Step<Work>[] {
  if (!('fault' in step)) return step.device === name ? [] : [step]
  const { fault } = step
  if ('dial' in fault && fault.device !== name)
    return [{ ...step, fault: { ...fault, dial: fault.dial.filter((each) => each !== name) } }]
  if (!('ways' in fault)) return devicesOf(fault).includes(name) ? [] : [step]
  const ways = fault.ways.filter((way) => !way.includes(name))
  return ways.length > 0 ? [{ ...step, fault: { ...fault, ways } }] : []
}

function* withoutMembers<Work>(plan: Plan<Work>): Iterable<Plan<Work>> {
  for (const { name } of plan.members ?? []) {
    const members = plan.members!.filter((member) => member.name !== name)
    const steps = plan.steps.filter(
      (step) => !('fault' in step && 'member' in step.fault && step.fault.member === name),
    )
    yield { ...plan, members, steps }
  }
}

function* withoutKinds<Work>(plan: Plan<Work>): Iterable<Plan<Work>> {
  const kindOf = (step: Step<Work>): string | undefined =>
    'fault' in step ? step.fault.kind : undefined
  const kinds = new Set([
    ...plan.conditions.map(({ kind }) => kind as string),
    ...plan.steps.map((step) => kindOf(step)),
  ])
  kinds.delete(undefined)
  // Most often none is needed.
  yield {
    ...plan,
    conditions: [],
    steps: plan.steps.filter((step) => kindOf(step) === undefined),
  }
  if (plan.rareWays?.length) {
    yield { ...plan, rareWays: [] }
    for (const way of plan.rareWays)
      yield { ...plan, rareWays: plan.rareWays.filter((each) => each !== way) }
  }
  for (const kind of kinds) {
    yield {
      ...plan,
      conditions: plan.conditions.filter((condition) => condition.kind !== kind),
      steps: plan.steps.filter((step) => kindOf(step) !== kind),
    }
  }
}

/** With shorter pauses, on whole milliseconds. */
function* withLessTime<Work>(plan: Plan<Work>): Iterable<Plan<Work>> {
  for (const longestMs of [100, 500, 2000]) {
    let [before, now] = [0, 0]
    const steps = plan.steps.map((step) => {
      now += Math.min(longestMs, step.atMs - before)
      before = step.atMs
      return { ...step, atMs: now }
    })
    const endMs = now + Math.min(longestMs, plan.endMs - before)
    if (endMs < plan.endMs) yield { ...plan, steps, endMs }
  }
}
