import type { DeviceId, Draft, EntityKey, EntityState } from '@peerplane/core'

/** A draft of a {@link WholeState}. */
export interface WholeDraft extends Omit<Draft, 'exists' | 'delete'> {
  /** Whether it has changed anything. */
  readonly isUsed: boolean
  /** Throws `Rejected` if this device may not delete the entity. */
  checkDelete?(): void
}

/** What an entity holds in one generation. It does not know that it may be deleted. */
export interface WholeState extends Omit<EntityState, 'exists' | 'changedMs' | 'begin' | 'merge'> {
  begin(...of: Parameters<EntityState['begin']>): WholeDraft
  /** See `merge` of the entity. */
  readonly needsMerge?: boolean
  /** Makes the draft that was begun a merge. */
  merge?(): void
}

/** A kind of state that is deleted as a whole: what it holds in one generation has a code of its own. */
export interface WholeContent {
  /** See `StateModel`. */
  readonly version: number
  /**
   * Whether the state judges bodies later, when somebody looks at it: then a body keeps the entity by its form. Otherwise `fold` returns a body that
   * is void at once, and such a body does not keep the entity.
   */
  readonly judgesLater: boolean
  /** A state that nothing has changed. */
  create(entity: EntityKey | undefined): WholeState
  /** Throws for anything but a snapshot. */
  load(snapshot: Uint8Array, entity: EntityKey | undefined): WholeState
  /** The only device that may change the entity, if there is one. */
  ownerOf?(entity: EntityKey): DeviceId | undefined
}
