import type { CommandPlan } from '../campaign/run.ts'
import type { Rule } from '../campaign/oracle.ts'

/** A small plan that once broke a rule, kept in a file beside this one, so that it never does so again. */
export interface Regression {
  /** What went wrong, in a sentence. */
  readonly because: string
  /** Name of the bug to plant to see it fail; absent if the bug was not planted but real. */
  readonly sabotage?: string | undefined
  readonly rule: Rule
  readonly plan: CommandPlan
}
