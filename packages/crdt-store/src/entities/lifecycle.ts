import type { EntityKey, StateModel, Store, Write } from '@peerplane/core'

import type { KnownRows } from './known-rows.ts'
import type { VersionedBody } from './row.ts'
import type { FoldEvents, Slot } from './slot.ts'
import type { Tally } from './tally.ts'

/**
 * How the states of one kind live: when bodies are folded into them, and what of them is stored.
 *
 * One lifecycle serves all entities of its kind. It keeps what it needs besides the slots, and knows no other lifecycle.
 */
export interface Lifecycle {
  /** An entity for memory. Rejects with a code of the store; a damaged entity is a slot with a problem. */
  load(key: EntityKey, model: StateModel): Promise<Slot>
  /** Brings into memory what {@link take} needs of these entities. */
  prepare(keys: readonly EntityKey[]): Promise<void>
  /** Takes delivered bodies of one entity, in causal order. Returns whether its state may have changed. */
  take(key: EntityKey, bodies: readonly VersionedBody[]): boolean
  /** Takes a body that a draft on the open entity has left in its state. Returns `false` if it has to be taken again after {@link prepare}. */
  takeOwn(key: EntityKey, body: VersionedBody): boolean
  /** What brings the store up to the state of an entity at this moment. */
  capture(key: EntityKey): CapturedEntity
  /** Whether a slot whose row is written may leave memory now, or only after one more capture. */
  mayLeave(slot: Slot): 'now' | 'later'
  /** The keys of what is stored of an entity beside its row; with the row if `isBlank`. */
  stored(key: EntityKey, isBlank: boolean): Promise<readonly Uint8Array[]>
  /** The entity has another state, of which nothing is stored. `beyond` are its bodies for a newer model. */
  replaced(key: EntityKey, slot: Slot | undefined, beyond: readonly VersionedBody[]): void
  /** Forgets what is not stored. */
  forget(): void
}

/** The state of one entity as writes; `stored` is called when they are in the store. */
export interface CapturedEntity {
  readonly writes: readonly Write[]
  /** How many records there are more than before. */
  readonly more: number
  readonly stored: () => void
}

/** What a lifecycle works with. */
export interface LifecycleParts {
  readonly store: Store
  readonly tally: Tally
  readonly slots: {
    get(key: EntityKey): Slot | undefined
    load(keys: readonly EntityKey[]): Promise<readonly Slot[]>
    drop(key: EntityKey): void
    readonly rows: KnownRows
  }
  /** The row of an entity is older than its state. */
  readonly changed: (key: EntityKey) => void
  readonly events: FoldEvents
}
