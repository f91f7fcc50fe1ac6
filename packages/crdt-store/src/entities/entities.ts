import type {
  Body,
  Commit,
  DeviceId,
  EntityKey,
  EntityState,
  Json,
  Lineage,
  Perturb,
  Scheduler,
  SessionId,
  StateModel,
  Trace,
} from '@peerplane/core'

import type { ClearableStore } from '../storage/checked-store.ts'
import type { LifecycleName } from './lifecycles.ts'
import type { OnVoid } from './slot.ts'

/** The state model of a declared entity type. The code of a state model is loaded when an entity of its type is first folded. */
export interface DeclaredModel {
  /** A text that changes whenever previously stored rows become unusable, for example because a field was added; see `shapeSignature`. */
  readonly signature: string
  /** The name of the lifecycle: the rule that states when states of this model are folded and when they leave memory. */
  readonly lifecycle: LifecycleName
  /** Loads the model. Every call of `load` resolves with the same model. */
  load(): Promise<StateModel>
}

/** Options for opening the entities of a space. */
export interface EntitiesOptions {
  readonly store: ClearableStore
  /** The state model of each declared entity type. Changes of entities of other types stay in the log and are not folded. */
  readonly models: ReadonlyMap<string, DeclaredModel>
  readonly scheduler: Scheduler
  /** Returns the device that wrote a session. Called only for sessions whose commits are being folded. */
  readonly deviceOf: (session: SessionId) => DeviceId
  /** Returns the place of a session among the sessions of its device. Called only for sessions whose commits are being folded. */
  readonly lineageOf: (session: SessionId) => Lineage
  /** Whether the commits of a session may have an effect on this device. */
  readonly isUnderstood: (session: SessionId) => boolean
  readonly perturb?: Perturb | undefined
  readonly trace?: Trace | undefined
  /**
   * Resolves when every commit that was appended to the log before the call is durable. Rejects if one of the appended commits was lost. The function
   * `settled` must not wait for a call of `Entities`: the call may be waiting for `settled`, so both would wait forever. Rows are written only after
   * `settled` has resolved, so that they never show commits that the log has lost in a crash.
   */
  readonly settled: () => Promise<void>
  /** Called when the body of a section has no effect because it breaks a rule of its state model. */
  readonly onVoid?: OnVoid
}

/** One listed entity. */
export interface ListedState {
  readonly id: string
  readonly state: Json
}

/** Selects which entities of a type a list contains. Lists are sorted by id, in the order of `compareTexts`. */
export interface ListQuery {
  readonly prefix?: string
  /** The list contains only entities whose ids come after `after`. */
  readonly after?: string
  readonly limit?: number
}

/** Entities that are being folded again after a fork was found. */
export interface Refold {
  /** The keys of the entities that are being folded again. Entities of undeclared types are left out. */
  readonly keys: readonly EntityKey[]
  /**
   * For each session, the sequence number of the last commit that the caller must add. The caller calls `add` with each
   * commit that has an effect, up to and including this commit. Later commits are added automatically.
   */
  readonly folded: ReadonlyMap<SessionId, number>
  /** Adds commits. The commits of each session must be in the order of their sequence numbers. Rejects with the same codes as `Entities.open`. */
  add(commits: readonly Commit[]): Promise<void>
  /**
   * Replaces all old states with the new states in one turn of the event loop, and calls `done` in the same turn. Call `finish` only while no commits
   * are being folded. Resolves with `false` if states were discarded since the refold began. Rejects with an error code of the store. If `finish`
   * fails, the old states stay.
   */
  finish(done: () => void): Promise<boolean>
  /** Discards the states that were folded again, unless they have already replaced the old states. */
  close(): void
}

/**
 * The states of all entities of a space, into which commits are folded.
 *
 * To make a commit of this device, first call `open`. After `open`, make these calls in one turn of the event loop: `begin` of the state, `finish` of
 * the draft, `commit` of the log, `touch` for each section, and `commitFolded`. For commits of other devices and for commits that are replayed from
 * the log, call `fold`.
 */
export interface Entities {
  /** How many entities the store keeps as deleted. */
  readonly absent: number
  /**
   * Returns, for each session, the sequence number of the last commit that the states contain. After opening, the states contain only the commits in
   * their stored rows, and the caller has to fold the rest of the log.
   */
  folded(): ReadonlyMap<SessionId, number>
  /**
   * Resolves with the folded state of an entity. The caller may use the returned state only until its next `await`. While the entity is pinned, its
   * state stays valid until `discard` is called. Rejects with `unknown-entity`, `unreadable`, `closed`, or an error code of the store. After
   * `store-corrupt`, call `discard` with the option `rows`, so that damaged rows are rebuilt.
   */
  open(key: EntityKey): Promise<EntityState>
  /** Resolves with the states of several entities, in the order of `keys`. The caller may use all returned states together until its next `await`. */
  openAll(keys: readonly EntityKey[]): Promise<readonly EntityState[]>
  /**
   * Lets those of the entities that are in memory do work that they have put off, a part in each turn of the event loop, as long as `goesOn` returns
   * `true`. Resolves with the entities that have more to do; to open one of these takes until all of its work is done.
   */
  workOff(keys: readonly EntityKey[], goesOn: () => boolean): Promise<readonly EntityKey[]>
  /**
   * Returns the version of the state model of an open entity. The sections of commits that change the entity contain the version of its state model.
   * Returns 0 for an entity that is not open.
   */
  modelVersion(key: EntityKey): number
  /** Whether an entity in memory lacks changes that only a newer version of this program or of the state model can read. */
  isIncomplete(key: EntityKey): boolean
  /** When an entity in memory was last changed; see `EntityState.changedMs`. 0 for any other entity. */
  changedMs(key: EntityKey): number
  /**
   * Returns the ids of entities of a type that perhaps nobody has changed at or after `ms`: at most `most` ids, after the id `after`. Whether that is so
   * is certain only when the entity is open.
   */
  unchangedSince(
    type: string,
    ms: number,
    page: { readonly after: string | undefined; readonly most: number },
  ): Promise<readonly string[]>
  /** Keeps an entity in memory once it is open, until `unpin` has been called as often as `pin`. */
  pin(key: EntityKey): void
  unpin(key: EntityKey): void
  /**
   * Folds delivered commits, which must be in causal order. Commits that are already folded are skipped. The effects of all commits of one call
   * become visible at the same time. Resolves with the keys of the entities whose states may have changed.
   */
  fold(commits: readonly Commit[]): Promise<readonly EntityKey[]>
  /**
   * Call `touch` after the draft of a command on an open entity was finished and its commit was appended to the log. `body` contains the bytes that
   * `finish` of the draft returned.
   */
  touch(key: EntityKey, body: Body): void
  /** Call `commitFolded` after `touch` was called for every section of a commit of this device. */
  commitFolded(session: SessionId, seq: number): void
  /**
   * Begins to fold the entities `keys` again, because some of their commits no longer have an effect. Until the entities have been folded again,
   * their old states are still shown. If an earlier call has returned a `Refold` that is not finished, that `Refold` is closed. Call `refold` only
   * while no commits are being folded.
   */
  refold(keys: Iterable<EntityKey>): Refold
  /**
   * Tells the entities that their states no longer contain the commits of `session` after `seq`. Before you call `retreat`, fold again all entities
   * that were changed by commits of this session after `seq`.
   */
  retreat(session: SessionId, seq: number): void
  /**
   * Lists the entities of a type with their states, except unreadable entities. Most states are kept up to date while commits are delivered; `list`
   * computes only the other states.
   */
  list(type: string, query?: ListQuery): Promise<readonly ListedState[]>
  /** Writes changed rows with the durability `local`, together with the place in the log up to which the rows are complete. */
  flush(): Promise<void>
  /**
   * Discards all states in memory that were not written to the store. Call `discard` as soon as the log has lost commits of this device. Open states
   * are closed. After `discard` has resolved, the caller folds all commits of the log that come after `folded`. With the option `rows`, `discard`
   * deletes all stored rows too; use this option, for example, if rows are damaged. After rows were discarded, new commits of this device must belong
   * to a new session.
   */
  discard(options?: { readonly rows?: boolean }): Promise<void>
  /** Writes changed rows if possible, and frees all states. */
  close(): Promise<void>
}
