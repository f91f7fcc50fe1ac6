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
      'Every device stores each session permanently. A device that begins many sessions can only be slowed down. Other devices whose commits arrive over the same link are then slowed down too.',
  },
  'lying-frontiers': {
    bounds: times,
    because:
      'A claim that a session exists cannot be proved without its commits. So a device has to request every claimed session.',
  },
  'fork-storm': {
    bounds: times,
    because:
      'Each fork is a separate session with a proof. Every device that has shown one branch of the fork must fold its entities again without the branch.',
  },
}
