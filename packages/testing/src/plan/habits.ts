import type { FaultKind } from '../fleet/fault-kinds.ts'
import type { HarmKind } from '../hostile/harm-kinds.ts'

/** Mean times between two steps of each sort, milliseconds. */
export interface Rhythm {
  readonly workMs: number
  readonly faultMs: number
  readonly copyMs: number
}

/** What happens in a run, and how often. */
export interface Habits {
  readonly kinds: ReadonlySet<FaultKind>
  readonly rhythm: Rhythm
  /** What hostile members do. Default: nothing. */
  readonly harms?: readonly HarmKind[] | undefined
  /** The device that most faults strike, and that is back at once. */
  readonly restless?: string | undefined
}
