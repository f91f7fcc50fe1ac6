import type { EntityKey, StateModel, Store, Write } from '@peerplane/core'

import type { AbsentRows } from './absent-rows.ts'
import type { KnownRows } from './known-rows.ts'
import type { VersionedBody } from './row.ts'
import type { FoldEvents, Slot } from './slot.ts'
import type { Tally } from './tally.ts'

/**
 * A lifecycle decides when section bodies are folded into the states of entities, and what is stored of these states.
 *
 * One lifecycle serves all entities whose state model names it. Lifecycles do not use each other.
 */
export interface Lifecycle {
  /** Reads an entity into memory. Rejects with an error code of the store. If the entity is damaged, resolves with a slot that has a problem. */
  load(key: EntityKey, model: StateModel): Promise<Slot>
  /** Reads into memory what {@link take} needs for the entities `keys`. */
  prepare(keys: readonly EntityKey[]): Promise<void>
  /** Accepts delivered bodies of one entity, in causal order. Returns whether the state of the entity may have changed. */
  take(key: EntityKey, bodies: readonly VersionedBody[]): boolean
  /**
   * Accepts a body of this device whose changes are already in the state of the open entity, because a draft made them there. Returns `false` if the
   * entity is not in memory; the caller then passes the body to {@link take} after {@link prepare}.
   */
  takeOwn(key: EntityKey, body: VersionedBody): boolean
  /** Returns the writes that store the current state of an entity. */
  capture(key: EntityKey): CapturedEntity
  /** Whether a slot whose row is written may leave memory now, or only after one more call of {@link capture}. */
  mayLeave(slot: Slot): 'now' | 'later'
  /** Returns the keys of all records of an entity in the store, without the row of the entity; with the row if `isBlank` is true. */
  stored(key: EntityKey, isBlank: boolean): Promise<readonly Uint8Array[]>
  /** Records that the entity has a new state, of which nothing is stored yet. `beyond` contains the bodies of the entity that need a newer model. */
  replaced(key: EntityKey, slot: Slot | undefined, beyond: readonly VersionedBody[]): void
  /** Drops everything in memory that is not stored. */
  forget(): void
}

/** The writes that store the state of one entity. The caller calls `stored` when these writes are in the store. */
export interface CapturedEntity {
  readonly writes: readonly Write[]
  /** The difference that the writes make to the number of records in the store; negative if they delete more records than they add. */
  readonly more: number
  /** The same for the records of entities that do not exist, which do not count in `more`. */
  readonly absent: number
  readonly stored: () => void
}

/** The objects that a lifecycle uses. */
export interface LifecycleParts {
  readonly store: Store
  readonly tally: Tally
  readonly slots: {
    get(key: EntityKey): Slot | undefined
    load(keys: readonly EntityKey[]): Promise<readonly Slot[]>
    drop(key: EntityKey): void
    readonly rows: KnownRows
    readonly absent: AbsentRows
  }
  /** Called when the stored row of an entity has become older than its state. */
  readonly changed: (key: EntityKey) => void
  readonly events: FoldEvents
}
