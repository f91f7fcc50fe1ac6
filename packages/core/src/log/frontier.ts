import type { SessionId } from '../ids.ts'
import type { Tip } from './tip.ts'

/** The tips of sessions, by session: how far a device holds each of them. */
export type Frontier = ReadonlyMap<SessionId, Tip>
