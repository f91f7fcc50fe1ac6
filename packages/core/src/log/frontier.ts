import type { SessionId } from '../ids.ts'
import type { Tip } from './tip.ts'

/** The tip of each session, by session id. A frontier states up to which commit a device holds each session. */
export type Frontier = ReadonlyMap<SessionId, Tip>
