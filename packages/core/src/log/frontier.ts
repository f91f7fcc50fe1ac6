import type { SessionId } from '../ids.ts'
import type { Tip } from './tip.ts'

/** For each session, up to which commit it is held. */
export type Frontier = ReadonlyMap<SessionId, Tip>
