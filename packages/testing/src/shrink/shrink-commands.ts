import { runPlan, type CommandPlan, type RunOptions } from '../campaign/run.ts'
import type { Rule } from '../campaign/oracle.ts'
import type { CommandWork, Step } from '../plan/plan.ts'
import { shrink, type Shrunk } from './shrink.ts'

/** How long a plan is shrunk, and which cryptography its runs use. */
export interface ShrinkBudget extends Pick<RunOptions, 'crypto'> {
  /** Default 1000. */
  readonly runs?: number
  /** Shrinking ends early when the function `expired` returns true. */
  readonly expired?: (() => boolean) | undefined
}

/** Makes a plan of the campaign smaller, as long as its run still breaks `rule`; see {@link shrink}. */
export async function shrinkCommands(
  plan: CommandPlan,
  rule: Rule,
  { crypto, runs = 1000, expired }: ShrinkBudget = {},
): Promise<Shrunk<CommandWork>> {
  // What shows while faults go on need not be looked for afterwards.
  const untilHealed = await breaks(plan, rule, { crypto, untilHealed: true })
  return shrink(plan, {
    runs,
    expired,
    simpler,
    fails: (candidate) => breaks(candidate, rule, { crypto, untilHealed }),
  })
}

/** Whether the run of a plan breaks a rule. Runs the plan until the rule is broken, or to its end. */
export async function breaks(
  plan: CommandPlan,
  rule: Rule,
  options: RunOptions = {},
): Promise<boolean> {
  try {
    const { violations } = await runPlan(plan, {
      ...options,
      stopAt: (violation) => violation.rule === rule,
    })
    return violations.some((violation) => violation.rule === rule)
  } catch {
    // Ignored: that there was one is the answer.
    return rule === 'exception'
  }
}

/** With fewer entities, in one kind of durability, each command once, on one entity. */
function* simpler(plan: CommandPlan): Iterable<CommandPlan> {
  const entities = new Set(
    plan.steps.flatMap((step) => ('work' in step ? step.work.on.map(({ entity }) => entity) : [])),
  )
  if (entities.size > 1) {
    for (const entity of entities) {
      yield map(plan, (work) => {
        const on = work.on.filter((each) => each.entity !== entity)
        return on.length > 0 ? { ...work, on } : undefined
      })
    }
  }
  yield map(plan, (work) => ({ ...work, durability: 'synced' }))
  yield map(plan, ({ on, durability }) => ({ on, durability }))
  for (const { id } of plan.steps) {
    const one = (change: (work: CommandWork) => CommandWork): CommandPlan =>
      map(plan, (work, step) => (step.id === id ? change(work) : work))
    yield one(({ on, durability }) => ({ on, durability }))
    yield one((work) => ({ ...work, on: work.on.slice(0, 1) }))
    yield one((work) => ({ ...work, on: work.on.slice(-1) }))
    yield one((work) => ({ ...work, durability: 'synced' }))
    yield one((work) => ({ ...work, on: work.on.map((each) => ({ ...each, by: 1 })) }))
  }
}

function map(
  plan: CommandPlan,
  change: (work: CommandWork, step: Step<CommandWork>) => CommandWork | undefined,
): CommandPlan {
  const steps = plan.steps.flatMap((step): Step<CommandWork>[] => {
    if (!('work' in step)) return [step]
    const work = change(step.work, step)
    return work ? [{ ...step, work }] : []
  })
  return { ...plan, steps }
}
