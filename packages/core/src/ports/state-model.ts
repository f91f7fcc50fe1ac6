import type { Timestamp } from '../hybrid-clock.ts'
import type { DeviceId, EntityKey, SessionId } from '../ids.ts'
import type { Json } from '../json.ts'

/** The place of a session among the sessions of its device. */
export interface Lineage {
  /** Whether the session may cover commits of other sessions. */
  readonly hasParents: boolean
  /**
   * Whether commit `seq` of `session` is in the past of this session: the opening of this session names, as a parent, this commit, a later commit of
   * `session`, or a commit of a session with such a parent.
   */
  covers(session: SessionId, seq: number): boolean
  /** The start of the session. Of the ops of a device at one place, those of the session with the latest start count. The default is 0. */
  readonly start?: number | undefined
}

/** The origin of ops. An origin together with the index of an op in its commit is what the CRDT literature calls a dot. */
export interface Origin {
  /** The author of the ops: the device that writes the session. */
  readonly device: DeviceId
  readonly session: SessionId
  readonly seq: number
  readonly time: Timestamp
  /** The sessions that the device wrote before. Without it, the session has no parents. */
  readonly lineage?: Lineage
}

/** The body of one section of a commit (the changes of one entity), with its origin. */
export interface Body {
  readonly origin: Origin
  /** The prefix of the commit id, see `prefixOf`. Ops of other sessions refer to a commit by its place and the prefix of its id. */
  readonly prefix: string
  readonly bytes: Uint8Array
}

/** A draft contains the changes of one command to one entity, until the commit is made or abandoned. */
export interface Draft {
  /**
   * The object that the handler of a command gets. Through the handle of a draft, the handler of a command reads the state and records changes. While
   * the draft is paused and after it has ended, the handle throws `handler-failed`.
   */
  readonly handle: unknown
  /** Whether the entity exists: something has changed it since it was last deleted. Changes of this draft count. */
  readonly exists: boolean
  /**
   * Deletes the entity, and forgets the earlier changes of this draft. If the draft changes the entity again, the entity is created again, from the initial
   * state. Throws `Rejected` if this device may not delete the entity. With `spares`, a change that this device has not seen keeps the entity, whatever
   * the model was made for.
   */
  delete(options?: { readonly spares: boolean }): void
  /** Called when the handler of the command has returned. Until `resume` is called, the handle of the draft throws. */
  pause(): void
  /** Called before the handler of the next command begins. */
  resume(): void
  /** Returns the changes as the body of a section, or `undefined` if there are no changes. After `finish`, the changes stay in the state. */
  finish(): Uint8Array | undefined
  /** Undoes all changes of this draft, even after `finish`. A draft can be reverted until the next call of `fold` or `begin` on the state. */
  revert(): void
}

/** How large the state of an entity is, and how large commands may make it. */
export interface EntitySize {
  /**
   * How many bytes of memory the state takes, as the limit `entityBytes` counts them, and at most an eighth too many; of a document, how many bytes the
   * device stores.
   */
  readonly bytes: number
  /** How many operations have made the state what it is, those included that are no longer shown; with `events`, how many events. */
  readonly ops: number
  /** Commands that would make the state larger are refused. `undefined` if the bytes are not limited. */
  readonly mostBytes: number | undefined
  /** Commands that would make more operations are refused. `undefined` if the operations are not limited. */
  readonly mostOps: number | undefined
}

/**
 * The state of one entity: the result of folding the changes of all commits.
 *
 * Folding the same section bodies, in any causal order in which the parents of a session come before the session, and in any number of calls, gives
 * the same mirror and version. Snapshots may depend on the order in which section bodies were folded.
 */
export interface EntityState {
  /**
   * The state as plain JSON, as the application sees it. The mirror of a state is frozen, and is a new object if and only if the state has changed.
   */
  readonly mirror: Json
  /** Whether the entity exists: something has changed it since it was last deleted. */
  readonly exists: boolean
  /** When the entity was last changed, by the clocks of those who changed it, in milliseconds since 1970; 0 if nobody has changed it. */
  readonly changedMs: number
  /** The reason why the state cannot be shown: it is too large. If `problem` is set, no other property or method of the state may be used. */
  readonly problem: string | undefined
  /**
   * The reason why the state is incomplete: a change was written for a different shape of the entity. A change that was written for a different shape
   * has no effect.
   */
  readonly skipped: string | undefined
  /** Whether the state has several branches, of which `mirror` shows one: two sessions have continued from the same point. */
  readonly hasConflict?: boolean
  readonly size: EntitySize
  /**
   * Whether the state has taken more than four fifths of what commands may fill. Unlike `size`, this costs nothing as long as the state is far from
   * that.
   */
  readonly isLarge: boolean
  /**
   * Identifies the state that `mirror` shows. A command can refer to the version of the state that its caller saw. The version is an empty text if
   * the model does not need versions.
   */
  readonly version: string
  /**
   * Adds the effect of section bodies to the state. The section bodies must be in causal order. Returns the section bodies that have no effect
   * because they break a rule of the state model.
   */
  fold(bodies: readonly Body[]): readonly Body[]
  /**
   * Does a part of the work that the state has put off, in about 20 milliseconds if possible, unless the section bodies that wait for it have at most
   * `most` bytes together. Returns whether more is to be done. The mirror and the version are the same whether the work is done in parts or
   * when they are next looked at. A state without `advance` puts nothing off.
   */
  advance?(most: number): boolean
  /**
   * Tells the state that it lacks changes that this device cannot read, although `skipped` may be `undefined`: the program skipped them before it was
   * restarted, or they were never given to `fold`. From then on, drafts remove nothing for good, because they would also remove what is missing.
   */
  markIncomplete?(): void
  /** Begins the draft of a command of this device. `at` is the version of the state that the caller of the command saw. */
  begin(origin: Origin, at?: string): Draft
  /**
   * Returns a draft that changes nothing, but names many concurrent changes, so that later changes need to name only this one. The caller finishes the
   * draft and commits it on its own, and calls `merge` again before it calls `begin`. Returns `undefined` if the next change can name all
   * concurrent changes. Changes of a state without `merge` do not get larger with the number of concurrent changes.
   */
  merge?(origin: Origin): Draft | undefined
  /**
   * Tells the state that a commit contains the changes of the last finished draft, as the section body `body`. After a commit was made, call
   * `identify` before any other method of the state.
   */
  identify(body: Body): void
  /** Returns bytes from which `open` restores this state. */
  snapshot(): Uint8Array
  /** Frees memory that the garbage collector does not manage. */
  close(): void
}

/** The implementation of one kind of state, such as counters or documents: it opens states and folds ops into them. */
export interface StateModel {
  /**
   * The version of the state model. Every section of a commit names the version of the model for which it was written. A section that was written for
   * a newer version of the model has no effect on this device, and makes its entity incomplete.
   */
  readonly version: number
  /**
   * Opens the state that `snapshot` contains, or the initial state if there is no snapshot. Rejects with `unreadable`. `entity` is the key of the
   * entity: with a single writer, the id of an entity can name its writer.
   */
  open(snapshot: Uint8Array | undefined, entity?: EntityKey): Promise<EntityState>
}
