import type { Bounds } from './bounds.ts'

/** What the protocol of today does not hold, and why. */
export interface Known {
  /** The bounds that may be broken. All others have to hold, and nothing may end or be lost. */
  readonly bounds: readonly (keyof Bounds)[]
  readonly because: string
}

const times = [
  'acknowledgedP99',
  'shownP99',
  'newcomer',
  'control',
  'page',
  'recovery',
] as const satisfies readonly (keyof Bounds)[]

/** The attacks that are not held yet, by name: they cost members time, but never memory, handles or what was written. */
export const known: Readonly<Record<string, Known>> = {
  'session-flood': {
    bounds: times,
    because:
      'Every device stores each session permanently. The only defence against a device that begins many sessions is to slow it down, which also slows down other devices whose commits arrive over the same link.',
  },
  'lying-frontiers': {
    bounds: times,
    because:
      'A claim that a session exists cannot be proved without the commits of the session. A device therefore has to request every session that a peer claims to hold.',
  },
  'fork-storm': {
    bounds: times,
    because:
      'Each fork takes place in a session of its own and has a proof of its own. Every device that has shown one branch of a fork must fold the changed entities again without this branch.',
  },
}
