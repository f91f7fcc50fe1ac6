import type {
  Commit,
  DeviceId,
  EntityKey,
  EntityState,
  Json,
  Origin,
  Perturb,
  Scheduler,
  SessionId,
  StateModel,
  Trace,
} from '@peerplane/core'

import type { ClearableStore } from '../storage/checked-store.ts'
import type { LifecycleName } from './lifecycles.ts'
import type { OnVoid } from './slot.ts'

/** The state model of a declared entity type; it is loaded when an entity of the type is first folded. */
export interface DeclaredModel {
  /** Changes whenever earlier rows can no longer be used, for example because a field was added; see `shapeSignature`. */
  readonly signature: string
  /** The lifecycle of states of this model. */
  readonly lifecycle: LifecycleName
  /** Returns the same model at every call. */
  load(): Promise<StateModel>
}

/** What entities are made of. */
export interface EntitiesOptions {
  readonly store: ClearableStore
  /** Model of each declared type. Sections of other types are left to the log. */
  readonly models: ReadonlyMap<string, DeclaredModel>
  readonly scheduler: Scheduler
  /** The author of a session whose commits are folded. */
  readonly deviceOf: (session: SessionId) => DeviceId
  /** Whether the commits of a session may have an effect here. */
  readonly isUnderstood: (session: SessionId) => boolean
  readonly perturb?: Perturb | undefined
  readonly trace?: Trace | undefined
  /**
   * Resolves when every commit that was appended before the call is durable, rejects when one of them was lost. It must not wait for
   * entities. Rows are written only after it: after a crash they would otherwise show commits that the log does not hold.
   */
  readonly settled: () => Promise<void>
  /** A body had no effect because it breaks a rule of its model. */
  readonly onVoid?: OnVoid
}

/** One listed entity. */
export interface ListedState {
  readonly id: string
  readonly state: Json
}

/** Which entities of a type to list, in the order of `compareTexts`. */
export interface ListQuery {
  readonly prefix?: string
  /** Only ids after this one. */
  readonly after?: string
  readonly limit?: number
}

/**
 * The folded states of a space.
 *
 * Own commits: `open`, then in one turn without awaiting `begin` … `finish`, append to the log, `touch` for each section, `commitFolded`.
 * Remote and replayed commits: `fold`.
 */
export interface Entities {
  /** Up to where states contain the log. After opening, up to where rows contain it: the caller folds the rest of the log. */
  folded(): ReadonlyMap<SessionId, number>
  /**
   * The state of an entity, folded. It stays valid until the caller awaits something else, or as long as the entity is pinned and `discard`
   * is not called. Rejects with `unknown-entity`, `unreadable`, `closed`, or a code of the store: after `store-corrupt`, a `discard` with
   * `rows` rebuilds what is damaged.
   */
  open(key: EntityKey): Promise<EntityState>
  /** The states of several entities, in the order of `keys`, which are all valid at the same time. */
  openAll(keys: readonly EntityKey[]): Promise<readonly EntityState[]>
  /** Version of the model of an open entity, for its sections; 0 for an entity that is not open. */
  modelVersion(key: EntityKey): number
  /** Whether an entity in memory lacks what only a newer version of this program, or of its model, can read. */
  isIncomplete(key: EntityKey): boolean
  /** Keeps an entity in memory once it is open, until as many calls of `unpin`. */
  pin(key: EntityKey): void
  unpin(key: EntityKey): void
  /** Folds delivered commits, in causal order; commits folded before are left out. All their effects show at once. Returns whose states may have changed. */
  fold(commits: readonly Commit[]): Promise<readonly EntityKey[]>
  /** A draft on this open entity was finished as part of a commit of this device that was appended; `body` is what `finish` returned. */
  touch(key: EntityKey, origin: Origin, body: Uint8Array): void
  /** Call this after `touch` was called for every section of a commit of this device. */
  commitFolded(session: SessionId, seq: number): void
  /** Entities of a type with their states, without folding those that are folded on delivery. Unreadable ones are left out. */
  list(type: string, query?: ListQuery): Promise<readonly ListedState[]>
  /** Writes changed rows, and up to where they contain the log, at `local` durability. */
  flush(): Promise<void>
  /**
   * Forgets what was not flushed; must be called as soon as the log has lost commits of this device. States that were open are closed. Once it resolves, the
   * caller folds what the log holds beyond `folded`. With `rows` it forgets those, too, because commits in them no longer have an effect; this
   * device's commits from the call on must then belong to a new session.
   */
  discard(options?: { readonly rows?: boolean }): Promise<void>
  /** Flushes if it can and frees all states. */
  close(): Promise<void>
}
