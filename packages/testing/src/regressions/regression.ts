import type { CommandPlan } from '../campaign/run.ts'
import type { Rule } from '../campaign/oracle.ts'

/** A small plan that once broke a rule. Each regression is stored in a file in this directory and runs again as a test. */
export interface Regression {
  /** A description of the failure, in one sentence. */
  readonly because: string
  /** The name of the planted bug with which this plan fails. Absent if the bug was a real one. */
  readonly sabotage?: string | undefined
  readonly rule: Rule
  readonly plan: CommandPlan
}
