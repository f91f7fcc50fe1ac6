import type { Attack } from './attack.ts'
import { bounds, broken, withTime, type Bounds } from './bounds.ts'
import type { Measured } from './measured.ts'

/** What is to be said of attacks that ran at once. */
export interface Verdict {
  /** `held`: every bound. `known`: a bound that is known not to hold yet, and no worse. `better`: known not to hold, and it does. */
  readonly result: 'held' | 'known' | 'better' | 'broken'
  /** The bounds that are not held. */
  readonly broken: readonly string[]
}

/** Judges what was measured; `losses` are errors and processes that ended. */
export function judge(
  attacks: readonly Attack[],
  measured: Measured,
  losses: readonly string[],
): Verdict {
  const idle = attacks
    .filter(({ name, needs }) => !measured.done[name]?.[needs])
    .map(({ name, needs }) => `${name} had no ${needs}: it did not take place`)
  const never = [...losses, ...idle]
  const beyond = broken(measured, withTime(bounds, measured.before))
  if (never.length > 0) return { result: 'broken', broken: [...never, ...beyond] }
  const known = attacks.flatMap((attack) => attack.known?.bounds ?? [])
  if (known.length === 0) return { result: beyond.length > 0 ? 'broken' : 'held', broken: beyond }
  const worse = broken(measured, withTime(known.reduce(widest, bounds), measured.before))
  if (worse.length > 0) return { result: 'broken', broken: worse }
  return { result: beyond.length > 0 ? 'known' : 'better', broken: beyond }
}

function widest(all: Bounds, known: Partial<Bounds>): Bounds {
  const names = Object.keys(all) as (keyof Bounds)[]
  return Object.fromEntries(
    names.map((name) => [name, Math.max(all[name], known[name] ?? 0)]),
  ) as unknown as Bounds
}
