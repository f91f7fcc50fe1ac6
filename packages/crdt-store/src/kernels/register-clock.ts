import type { Json, RegisterClock, Value } from '@peerplane/core'

import type { LatestOp } from './latest-by-device.ts'

/** A value in a box, because a value can be anything. */
export interface ClockedValue {
  /** Frozen when it is shown: most values of a large body never are. */
  readonly value: Json
  /** The custom clock; 0 where there is none. */
  readonly clock: number
}

/** The greatest custom clock. */
export const LAST_CLOCK = Number.MAX_SAFE_INTEGER

/** How an op says which clock it is for. Both custom clocks have the same ops: they differ in what a device writes. */
export type ClockForm = 'default' | 'reverse' | 'custom'

export const formOf = (clock: RegisterClock): ClockForm =>
  clock === 'custom-auto-increment' ? 'custom' : clock

/** The form of a write, from its item after the names. */
export function readForm(clock: Value | undefined): ClockForm {
  if (clock === undefined) return 'default'
  return clock === null ? 'reverse' : 'custom'
}

/** Sorts what was written, the latest time first, so that what is shown comes first. */
export function byClock(
  live: readonly LatestOp<ClockedValue>[],
  form: ClockForm,
): readonly LatestOp<ClockedValue>[] {
  if (live.length < 2 || form === 'default') return live
  if (form === 'reverse') return live.toReversed()
  // Sorting is stable: of equal clocks, the latest time comes first.
  return live.toSorted((a, b) => b.content!.clock - a.content!.clock)
}
