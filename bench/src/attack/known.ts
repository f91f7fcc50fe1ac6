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
      'each session is stored separately, for ever, by everybody; a device that begins many can only be slowed down, and others whose commits come over the same link wait with it',
  },
  'lying-frontiers': {
    bounds: times,
    because:
      'nobody can prove that a claimed session exists before its commits are there, so what is claimed has to be asked for',
  },
  'fork-storm': {
    bounds: times,
    because:
      'each fork is a separate session with a proof, and all who have shown its first version fold their entities again without it',
  },
}
