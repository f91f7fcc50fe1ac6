import type { CommandPlan } from '../campaign/run.ts'
import type { Rule } from '../campaign/oracle.ts'

/** A regression: a small plan whose run once broke a rule. Each regression is stored in a file in this directory and runs again as a test. */
export interface Regression {
  /** A description of the failure, in one sentence. */
  readonly because: string
  /** The name of the bug that was planted to make this plan fail. `sabotage` is absent if the plan failed because of a real bug. */
  readonly sabotage?: string | undefined
  readonly rule: Rule
  readonly plan: CommandPlan
}
