import type { Timestamp } from '../hybrid-clock.ts'
import type { DeviceId, SessionId } from '../ids.ts'
import type { Json } from '../json.ts'

/** The origin of ops: with an index, these are the dots of the CRDT literature. */
export interface Origin {
  /** The author: the device whose session it is. */
  readonly device: DeviceId
  readonly session: SessionId
  readonly seq: number
  readonly time: Timestamp
}

/** The body of one section and where it comes from. */
export interface Body {
  readonly origin: Origin
  readonly bytes: Uint8Array
}

/** The changes of one command to one entity, before the commit is made or given up. */
export interface Draft {
  /** What the handler gets: it reads and records changes, until the draft is paused or ends; then it throws `handler-failed`. */
  readonly handle: unknown
  /** The handler has returned: its handle is refused until `resume`. */
  pause(): void
  /** Another handler begins. */
  resume(): void
  /** The changes as section body; `undefined` when there are none. The state keeps them. */
  finish(): Uint8Array | undefined
  /** Takes all changes of this draft back, finished or not; possible until the state is folded into or begun again. */
  revert(): void
}

/**
 * The folded state of one entity.
 *
 * Folding the same bodies, in any causal order and in any number of calls, gives the same mirror and version. Snapshots may
 * keep the order in which bodies came.
 */
export interface EntityState {
  /** The plain state that app code sees: frozen, a new object exactly when the state has changed. */
  readonly mirror: Json
  /**
   * Why the state cannot be shown: a body was written for another shape, and what it holds would be hidden. Nothing else may be used afterwards.
   */
  readonly problem: string | undefined
  /** Names the state that `mirror` shows, for commands that refer to it; empty if the model does not need it. */
  readonly version: string
  /** Adds the effect of bodies, in causal order. A body that breaks a rule of the model has no effect and is named in the result. */
  fold(bodies: readonly Body[]): readonly Body[]
  /** Starts a command of this device; `at` is the version the caller saw. */
  begin(origin: Origin, at?: string): Draft
  /** Bytes from which the same state opens. */
  snapshot(): Uint8Array
  /** Frees memory that the garbage collector does not manage. */
  close(): void
}

/** One way to hold state: how ops fold into it. */
export interface StateModel {
  /** Part of every section; one with a newer version than this has no effect here, and leaves its entity incomplete. */
  readonly version: number
  /** The state of a snapshot, or the initial state. Throws `unreadable`. */
  open(snapshot: Uint8Array | undefined): Promise<EntityState>
}
