import type { Attack } from './attack.ts'
import { bounds, broken, withTime } from './bounds.ts'
import { known as knownAttacks, type Known } from './known.ts'
import type { Measured } from './measured.ts'

/** What is to be said of an attack. */
export interface Verdict {
  /** `held`: every bound. `known`: every bound but those that are known not to hold. `better`: even those. */
  readonly result: 'held' | 'known' | 'better' | 'broken'
  /** The bounds that are not held, and what was lost. */
  readonly broken: readonly string[]
}

/** Judges what was measured; `losses` are errors and processes that ended. */
export function judge(
  { name, needs }: Attack,
  measured: Measured,
  losses: readonly string[],
  known: Known | undefined = knownAttacks[name],
): Verdict {
  const idle = measured.done[name]?.[needs] ? [] : [`it had no ${needs}: it did not take place`]
  const beyond = broken(measured, withTime(bounds, measured.before))
  const all = [...losses, ...idle, ...beyond.map(({ text }) => text)]
  const isExcused = beyond.every(({ bound }) => known?.bounds.includes(bound))
  if (losses.length + idle.length > 0 || !isExcused) return { result: 'broken', broken: all }
  if (!known) return { result: 'held', broken: [] }
  return { result: beyond.length > 0 ? 'known' : 'better', broken: all }
}
