import type { HarmKind } from '../hostile/harm-kinds.ts'
import type { SimRandom } from '../world/random.ts'

/** Faults that begin at some moment of a run and end after a while. */
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

/** Faults that last for a whole run. */
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
 * Chooses the kinds of fault of a run: a random half of `among`, with at least one momentary kind if there is one. If every run had all kinds of
 * fault, a few kinds would hide the effects of the others (swarm testing: Groce and others 2012).
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
