import type { SessionId } from '@peerplane/core'

/** The identity of one op: the `index`-th of its commit. */
export interface OpDot {
  readonly session: SessionId
  readonly seq: number
  readonly index: number
}
