import type { Clock } from '@peerplane/core'

/** The wall clock of this machine. */
export const systemClock: Clock = { now: () => Date.now() }
