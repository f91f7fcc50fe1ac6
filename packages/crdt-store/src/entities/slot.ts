import {
  asPeerplaneError,
  PeerplaneError,
  splitEntityKey,
  type EntityKey,
  type EntityState,
  type Origin,
  type StateModel,
  type Trace,
} from '@peerplane/core'

import type { VersionedBody } from './row.ts'

/** A body of an entity has no effect, because it breaks a rule of its model. */
export type OnVoid = (key: EntityKey, origin: Origin) => void

/** An entity in memory. */
export interface Slot {
  readonly key: EntityKey
  readonly model: StateModel
  readonly state: EntityState
  /** Size of the row that was made last; 0 if that is not known. */
  rowBytes: number
  /** The size of the state when that was last looked at. */
  bytes: number
  /** Whether somebody needed it since rows were last written. */
  isUsed: boolean
  /** Whether somebody needed it since idle entities last left memory. */
  isRecent: boolean
  /** Why the state is not that of the entity; it is not folded further. */
  problem: PeerplaneError | undefined
  /** The same where it follows from the bodies; otherwise empty. */
  unreadable: string
  /** Whether it was reported that it is nearly full. */
  isLarge: boolean
  /** Whether changes have no effect here that another version of this program, of the model or of the app understands. */
  isIncomplete: boolean
}

/** Callbacks for what folding finds. */
export interface FoldEvents {
  readonly onVoid?: OnVoid | undefined
  readonly trace?: Trace | undefined
}

/** A slot without a problem. */
export const slotOf = (key: EntityKey, model: StateModel, state: EntityState): Slot => ({
  key,
  model,
  state,
  rowBytes: 0,
  bytes: 0,
  isUsed: true,
  isRecent: true,
  problem: undefined,
  unreadable: '',
  isLarge: false,
  isIncomplete: false,
})

/**
 * Folds bodies; returns whether the entity may show something else now. A body for a newer model has no effect, and neither has a change for
 * another shape: both make the entity incomplete here until an update.
 */
export function foldInto(
  slot: Slot,
  bodies: readonly VersionedBody[],
  events: FoldEvents,
): boolean {
  if (slot.problem) return true
  const { isIncomplete } = slot
  const { hasConflict = false } = slot.state
  const known = bodies.filter((body) => !isBeyond(slot, body))
  if (known.length < bodies.length) {
    makeIncomplete(slot, 'it was written for a newer version', events)
  }
  const voids = slot.state.fold(known)
  for (const { origin } of voids) reportVoid(slot.key, origin, events)
  const { problem, skipped } = slot.state
  if (skipped !== undefined) makeIncomplete(slot, skipped, events)
  if (slot.state.hasConflict && !hasConflict) {
    events.trace?.('entity.conflict', { type: splitEntityKey(slot.key).type, entity: slot.key })
  }
  if (problem !== undefined) makeUnreadable(slot, `${slot.key}: ${problem}`, events)
  else if (!slot.isLarge) reportLarge(slot, events)
  return problem !== undefined || slot.isIncomplete !== isIncomplete || voids.length < known.length
}

/**
 * Does a part of the work that a state has put off, unless the bodies that wait for it have at most `most` bytes. Returns whether more is to be
 * done.
 */
export function advance(slot: Slot, most: number, events: FoldEvents): boolean {
  if (slot.problem || !slot.state.advance) return false
  const isMore = slot.state.advance(most)
  foldInto(slot, [], events)
  return isMore && !slot.problem
}

/** Whether a body is for a newer model than the one that is here. */
export const isBeyond = ({ model }: Slot, { modelVersion }: VersionedBody): boolean =>
  modelVersion > model.version

/** The entity lacks what cannot be read here. */
export function makeIncomplete(slot: Slot, why: string, { trace }: FoldEvents): void {
  if (slot.isIncomplete) return
  slot.isIncomplete = true
  slot.state.markIncomplete?.()
  const { key } = slot
  trace?.('entity.incomplete', { type: splitEntityKey(key).type, entity: key, why })
}

/** The entity cannot be read as it is declared here. */
export function makeUnreadable(slot: Slot, reason: string, events: FoldEvents): void {
  slot.unreadable = reason
  slot.problem = new PeerplaneError('unreadable', reason)
  reportUnreadable(slot, events)
}

/** A body has no effect. */
export function reportVoid(key: EntityKey, origin: Origin, { onVoid, trace }: FoldEvents): void {
  onVoid?.(key, origin)
  const { device, session, seq } = origin
  trace?.('body.void', { type: splitEntityKey(key).type, device, session, seq, entity: key })
}

function reportUnreadable({ key, problem }: Slot, { trace }: FoldEvents): void {
  trace?.('entity.unreadable', { type: splitEntityKey(key).type, entity: key, error: problem })
}

/** Reports once that an entity has taken more than four fifths of what commands may fill. */
function reportLarge(slot: Slot, { trace }: FoldEvents): void {
  const { key, state } = slot
  slot.isLarge = state.isLarge
  if (!slot.isLarge) return
  const { bytes, ops } = state.size
  trace?.('entity.large', { type: splitEntityKey(key).type, bytes, ops, entity: key })
}

/** A damaged row makes only its own entity unreadable. Failures of the store are not about one entity. */
export async function damagedSlot(
  key: EntityKey,
  model: StateModel,
  cause: unknown,
  events: FoldEvents,
): Promise<Slot> {
  const error = asPeerplaneError(cause, 'unreadable')
  if (error.code !== 'unreadable' && error.code !== 'malformed') throw error
  const slot = slotOf(key, model, await model.open(undefined, key))
  slot.problem = new PeerplaneError('unreadable', `what is stored of ${key} is damaged`, { cause })
  reportUnreadable(slot, events)
  return slot
}
