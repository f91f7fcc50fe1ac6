import type { Bounds } from './bounds.ts'

/** What the protocol of today does not hold, and why. */
export interface Known {
  /** The bounds that may be broken. All others have to hold, and nothing may end or be lost. */
  readonly bounds: readonly (keyof Bounds)[]
  readonly because: string
}

/** The attacks that are not held yet, by name: they may cost members time, but never memory, handles or what was written. None at present. */
export const known: Readonly<Record<string, Known>> = {}
