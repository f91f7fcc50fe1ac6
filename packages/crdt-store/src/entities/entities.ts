import type {
  Body,
  Commit,
  DeviceId,
  EntityKey,
  EntityState,
  Json,
  Perturb,
  Scheduler,
  SessionId,
  StateModel,
  Trace,
} from '@peerplane/core'

import type { ClearableStore } from '../storage/checked-store.ts'
import type { LifecycleName } from './lifecycles.ts'
import type { OnVoid } from './slot.ts'

/** The state model of a declared entity type. The model is loaded when an entity of the type is first folded. */
export interface DeclaredModel {
  /** A text that changes whenever earlier rows become unusable, for example because a field was added; see `shapeSignature`. */
  readonly signature: string
  /** The name of the lifecycle for states of this model: when they are folded and when they leave memory. */
  readonly lifecycle: LifecycleName
  /** Loads the model. Every call resolves with the same model. */
  load(): Promise<StateModel>
}

/** The parts from which entities are made. */
export interface EntitiesOptions {
  readonly store: ClearableStore
  /** The model of each declared type. Sections of other types stay in the log and are not folded. */
  readonly models: ReadonlyMap<string, DeclaredModel>
  readonly scheduler: Scheduler
  /** Returns the author of a session whose commits are folded. */
  readonly deviceOf: (session: SessionId) => DeviceId
  /** Whether the commits of a session may have an effect on this device. */
  readonly isUnderstood: (session: SessionId) => boolean
  readonly perturb?: Perturb | undefined
  readonly trace?: Trace | undefined
  /**
   * Resolves when every commit that was appended before the call is durable. Rejects if one of these commits was lost. `settled` must not wait for
   * entities. Rows are written only after `settled` has resolved, so that they never show commits that the log has lost in a crash.
   */
  readonly settled: () => Promise<void>
  /** Called when a body has no effect because it breaks a rule of its model. */
  readonly onVoid?: OnVoid
}

/** One listed entity. */
export interface ListedState {
  readonly id: string
  readonly state: Json
}

/** Selects entities of a type for a list, which is in the order of `compareTexts`. */
export interface ListQuery {
  readonly prefix?: string
  /** The list contains only ids after this one. */
  readonly after?: string
  readonly limit?: number
}

/** Entities that are being folded again after a fork. */
export interface Refold {
  /** The keys of the entities whose types are declared. */
  readonly keys: readonly EntityKey[]
  /** The caller adds all commits up to these seqs that have an effect. Later commits are added automatically. */
  readonly folded: ReadonlyMap<SessionId, number>
  /** Adds commits, which must be in the order of their sessions. Rejects with the same codes as `Entities.open`. */
  add(commits: readonly Commit[]): Promise<void>
  /**
   * Replaces all old states with the new states in one turn of the event loop, and calls `done` in the same turn. Call `finish` only while no commits
   * are being folded. Resolves with `false` if states were discarded meanwhile, and rejects with a code of the store. If `finish` fails, the old
   * states stay.
   */
  finish(done: () => void): Promise<boolean>
  /** Discards the new states, unless they have replaced the old ones. */
  close(): void
}

/**
 * The folded states of a space.
 *
 * To make a commit of this device, first call `open`. After `open`, one turn of the event loop calls `begin` of the state, `finish` of the draft,
 * `commit` of the log, `touch` for each section, and `commitFolded`. For remote and replayed commits, call `fold`.
 */
export interface Entities {
  /**
   * Returns, for each session, the seq of the last commit that the states contain. After opening, the states contain only the commits in their rows,
   * and the caller has to fold the rest of the log.
   */
  folded(): ReadonlyMap<SessionId, number>
  /**
   * Resolves with the folded state of an entity. The state is valid until the caller awaits something else. While the entity is pinned, its state
   * stays valid until `discard` is called. Rejects with `unknown-entity`, `unreadable`, `closed`, or a code of the store. After `store-corrupt`, a
   * `discard` with `rows` rebuilds damaged rows.
   */
  open(key: EntityKey): Promise<EntityState>
  /** Resolves with the states of several entities, in the order of `keys`. All these states are valid at the same time. */
  openAll(keys: readonly EntityKey[]): Promise<readonly EntityState[]>
  /** Returns the version of the model of an open entity, which its sections contain. Returns 0 for an entity that is not open. */
  modelVersion(key: EntityKey): number
  /** Whether an entity in memory lacks changes that only a newer version of this program or of its model can read. */
  isIncomplete(key: EntityKey): boolean
  /** Keeps an entity in memory once it is open, until `unpin` has been called as often as `pin`. */
  pin(key: EntityKey): void
  unpin(key: EntityKey): void
  /**
   * Folds delivered commits, which must be in causal order. Skips commits that are already folded. The effects of all these commits become visible at
   * the same time. Resolves with the keys of the entities whose states may have changed.
   */
  fold(commits: readonly Commit[]): Promise<readonly EntityKey[]>
  /** Call this after a draft on an open entity was finished and its commit was appended to the log. `body` has the result of `finish`. */
  touch(key: EntityKey, body: Body): void
  /** Call this after `touch` was called for every section of a commit of this device. */
  commitFolded(session: SessionId, seq: number): void
  /**
   * Begins to fold these entities again, because some of their commits no longer have an effect. Meanwhile, the old states are still shown. An
   * earlier refold is closed. Call `refold` only while no commits are being folded.
   */
  refold(keys: Iterable<EntityKey>): Refold
  /**
   * Records that the states no longer contain commits of a session after `seq`. Call `retreat` when all entities that these commits changed have been
   * folded again.
   */
  retreat(session: SessionId, seq: number): void
  /**
   * Lists entities of a type with their states, without the unreadable ones. Entities that are folded on delivery are not folded again for the list.
   */
  list(type: string, query?: ListQuery): Promise<readonly ListedState[]>
  /** Writes changed rows at `local` durability, together with the place in the log up to which the rows are complete. */
  flush(): Promise<void>
  /**
   * Discards all states that were not flushed. Call this as soon as you detect that the log has lost commits of this device. Open states are closed. After `discard`
   * has resolved, the caller folds all commits of the log beyond `folded`. With `rows`, all rows are discarded as well, because commits in them no
   * longer have an effect. New commits of this device must then belong to a new session.
   */
  discard(options?: { readonly rows?: boolean }): Promise<void>
  /** Flushes changed rows if possible, and frees all states. */
  close(): Promise<void>
}
