import {
  asPeerplaneError,
  PeerplaneError,
  splitEntityKey,
  type EntityKey,
  type EntityState,
  type Origin,
  type StateModel,
} from '@peerplane/core'

import type { VersionedBody } from './row.ts'

/** A body of an entity has no effect, because it breaks a rule of its model. */
export type OnVoid = (key: EntityKey, origin: Origin) => void

/** An entity in memory. */
export interface Slot {
  readonly key: EntityKey
  readonly model: StateModel
  readonly state: EntityState
  /** Why the state is not that of the entity; it is not folded further. */
  problem: PeerplaneError | undefined
  /** Version of the model that the entity is written for, if it is newer than `model`. */
  newerVersion: number
}

/** A slot without a problem. */
export const slotOf = (key: EntityKey, model: StateModel, state: EntityState): Slot => ({
  key,
  model,
  state,
  problem: undefined,
  newerVersion: 0,
})

/** Folds bodies, unless one is for a newer model: then the entity cannot be read here any more. */
export function foldInto(
  slot: Slot,
  bodies: readonly VersionedBody[],
  onVoid: OnVoid | undefined,
): void {
  if (slot.problem) return
  const newest = bodies.reduce((version, body) => Math.max(version, body.modelVersion), 0)
  if (newest > slot.model.version) return meetNewerVersion(slot, newest)
  for (const { origin } of slot.state.fold(bodies)) onVoid?.(slot.key, origin)
}

/** The entity is written for a newer version of its model. */
export function meetNewerVersion(slot: Slot, version: number): void {
  slot.newerVersion = version
  slot.problem = new PeerplaneError(
    'unreadable',
    `${slot.key} is written for version ${version} of its "${splitEntityKey(slot.key).type}" model`,
  )
}

/** A damaged row makes only its own entity unreadable. Failures of the store are not about one entity. */
export async function damagedSlot(
  key: EntityKey,
  model: StateModel,
  cause: unknown,
): Promise<Slot> {
  const error = asPeerplaneError(cause, 'unreadable')
  if (error.code !== 'unreadable' && error.code !== 'malformed') throw error
  const slot = slotOf(key, model, await model.open(undefined))
  slot.problem = new PeerplaneError('unreadable', `what is stored of ${key} is damaged`, { cause })
  return slot
}
