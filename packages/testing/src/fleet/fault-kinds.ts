import type { HarmKind } from '../hostile/harm-kinds.ts'
import type { SimRandom } from '../world/random.ts'

/** Faults that happen at a moment and are over after a while. */
export const momentaryFaults = [
  'crash',
  'power-cut',
  'restore',
  'clone',
  'restart',
  'partition',
  'one-way-cut',
  'reset',
  'path-change',
  'offline',
  'pause',
  'clock-jump',
  'disk-errors',
  'disk-full',
] as const

/** Faults that colour a whole run. */
export const ambientFaults = [
  'loss',
  'half-open',
  'gossip-loss',
  'gossip-copies',
  'gossip-delay',
  'slow-links',
  'slow-disk',
  'clock-skew',
] as const

export type MomentaryFault = (typeof momentaryFaults)[number]
export type AmbientFault = (typeof ambientFaults)[number]
export type FaultKind = MomentaryFault | AmbientFault

/** How often each kind of fault, and of harm by hostile members, happened in a run. */
export type FaultCounts = Partial<Record<FaultKind | HarmKind, number>>

/**
 * The kinds of fault that a run has: a random half of `among`, with one momentary kind at least if there is one. With everything on, a few
 * kinds would drown the others (swarm testing: Groce and others 2012).
 */
export function chooseFaults(
  random: SimRandom,
  among: readonly FaultKind[] = [...momentaryFaults, ...ambientFaults],
): ReadonlySet<FaultKind> {
  const chosen = new Set(random.shuffle(among).slice(0, Math.ceil(among.length / 2)))
  const momentary = momentaryFaults.filter((kind) => among.includes(kind))
  if (momentary.length > 0 && !momentary.some((kind) => chosen.has(kind))) {
    chosen.add(random.pick(momentary))
  }
  return chosen
}
