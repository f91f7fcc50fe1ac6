import type { Timestamp } from '../hybrid-clock.ts'
import type { DeviceId, SessionId } from '../ids.ts'
import type { Json } from '../json.ts'

/** The origin of ops. Together with an index, an origin is a dot in the sense of the CRDT literature. */
export interface Origin {
  /** The author of the ops: the device that writes the session. */
  readonly device: DeviceId
  readonly session: SessionId
  readonly seq: number
  readonly time: Timestamp
}

/** The body of one section, with its origin. */
export interface Body {
  readonly origin: Origin
  /** The prefix of the id of its commit, see `prefixOf`. Ops of other sessions name the commit by it. */
  readonly prefix: string
  readonly bytes: Uint8Array
}

/** The changes of one command to one entity, until the commit is made or abandoned. */
export interface Draft {
  /**
   * The object that the handler gets. A handle reads the state and records changes. When the draft is paused or has ended, the handle throws
   * `handler-failed`.
   */
  readonly handle: unknown
  /** Called when the handler has returned. The handle throws until `resume` is called. */
  pause(): void
  /** Called before the next handler begins. */
  resume(): void
  /** Returns the changes as the body of a section, or `undefined` if there are no changes. The state keeps the changes. */
  finish(): Uint8Array | undefined
  /** Undoes all changes of this draft, even if it is finished. A draft can be reverted until the next `fold` or `begin` of the state. */
  revert(): void
}

/**
 * The folded state of one entity.
 *
 * Folding the same bodies, in any causal order and in any number of calls, gives the same mirror and version. Snapshots may depend on the order in
 * which bodies were folded.
 */
export interface EntityState {
  /** The plain state that the application sees. The mirror is frozen, and is a new object if and only if the state has changed. */
  readonly mirror: Json
  /**
   * The reason why the state cannot be shown: a body was written for a different shape, and its content would be hidden. If `problem` is set, no
   * other member of this state may be used.
   */
  readonly problem: string | undefined
  /** Identifies the state that `mirror` shows. Commands can refer to this version. The version is empty if the model does not need versions. */
  readonly version: string
  /** Adds the effect of bodies, which must be in causal order. Returns the bodies that have no effect because they break a rule of the model. */
  fold(bodies: readonly Body[]): readonly Body[]
  /** Begins a command of this device. `at` is the version of the state that the caller saw. */
  begin(origin: Origin, at?: string): Draft
  /** Tells the state that the draft that was finished last has become this body of a commit. Call this before any other member of the state. */
  identify(body: Body): void
  /** Returns bytes from which `open` restores this state. */
  snapshot(): Uint8Array
  /** Frees memory that the garbage collector does not manage. */
  close(): void
}

/** The implementation of one kind of state: it opens states and folds ops into them. */
export interface StateModel {
  /** The version of the model, which every section contains. A section with a newer version has no effect here, and its entity becomes incomplete. */
  readonly version: number
  /** Opens the state in a snapshot, or the initial state. Rejects with `unreadable`. */
  open(snapshot: Uint8Array | undefined): Promise<EntityState>
}
