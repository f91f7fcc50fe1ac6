import type { CommitId, DeviceId, Json, NetworkStatus, Path, SpaceId } from '@peerplane/core'
import type { ListQuery } from '@peerplane/crdt-store'

/*
 * What a plane can be asked, as plain data. A plane is typed sugar over a backend; the backend is the runtime of this device, or, in a tab
 * that follows another, a channel to the runtime of the tab that leads.
 */

/**
 * How far a command must have got before its promise resolves.
 *
 * `memory`: visible in this process; may be lost with it. `local`: survives the death of the process; may be lost with the power.
 * `synced`: survives the loss of power, provided the disk obeys flush commands.
 */
export type Durability = 'memory' | 'local' | 'synced'

/** One command for one entity. */
export interface Invocation {
  readonly type: string
  readonly id: string
  readonly command: string
  readonly input?: Json | undefined
  /** The version of the entity that the caller saw, for positions in its texts. */
  readonly at?: string | undefined
}

/** How a command is to be run. */
export interface InvokeOptions {
  /** Default `synced`. */
  readonly durability?: Durability | undefined
  /**
   * Commands with one operation id run once on this device and its surviving store; a repetition gets the first outcome, as long as it is among
   * the latest `limits.operations`. Such a command is at least `local`. {@link Backend.outcome} gives the outcome.
   */
  readonly operationId?: string | undefined
}

/** The outcome of commands that were not refused. */
export interface Outcome {
  /** The commit that holds their changes; `undefined` if they changed nothing. */
  readonly commit: CommitId | undefined
  /** The durability that was reached when the promise resolved. */
  readonly durability: Durability
  /** What the handlers returned, in the order of the invocations. */
  readonly replies: readonly (Json | undefined)[]
}

/** An entity that was loaded, as it is now. */
export type Loaded<State = Json> =
  | {
      readonly phase: 'ready'
      readonly state: State
      /** Names the state, for commands that refer to it. */
      readonly version: string
      /** Commands of this device on this entity that have not reached their durability. */
      readonly pending: number
    }
  | { readonly phase: 'unreadable'; readonly problem: Problem }

/** A failure as data. */
export interface Problem {
  readonly code: string
  readonly message: string
}

/** One listed entity. */
export interface Row<State = Json> {
  readonly id: string
  readonly state: State
}

/** Another device, as this one knows it. */
export interface PeerStatus {
  readonly device: DeviceId
  readonly anchor: boolean
  readonly path: Path
  /** Commits that we hold and the peer has not announced. */
  readonly pending: number
  /** Commits that the peer has announced and we do not hold. */
  readonly behind: number
  /** How many commits the peer has announced to hold. */
  readonly announced: number
}

/** The status of a plane, as data. */
export interface PlaneStatus {
  /** While `membership` is `none`: the space that the first command or invitation of this opening founds. */
  readonly space: SpaceId
  readonly device: DeviceId
  /** Whether the space was founded here or joined by an invitation. `none`: nothing of it is stored, and an invitation to any space fits. */
  readonly membership: 'none' | 'founded' | 'joined'
  readonly storage: 'ok' | 'failing'
  /** Commits held here. */
  readonly commits: number
  /** Commits that were held here and are not since the storage was lost; they come back from devices that have them. */
  readonly lost: number
  /** Commits held here that wait for a dependency. */
  readonly waiting: number
  /** Sessions whose next commit depends on another commit than the one held here at that place. */
  readonly contradicted: number
  /** Sessions whose next commit cannot be read. */
  readonly unreadable: number
  /** Commits without effect, because they break a rule of their state, that were met since the plane was opened. */
  readonly void: number
  /** Sessions frozen because their device contradicted itself. */
  readonly forks: number
  /** Own commands that were accepted and have not reached their durability. */
  readonly pendingCommands: number
  /** Whether the application wants a network; `false` after `goOffline`. */
  readonly online: boolean
  readonly peers: readonly PeerStatus[]
  readonly network: NetworkStatus | undefined
  readonly addresses: readonly string[]
  readonly lastError: Problem | undefined
  /** What speaks against the clock of this device; `undefined` when nothing does. */
  readonly clockDoubt: string | undefined
}

/** Everything a plane can be asked. */
export interface Backend {
  /**
   * Runs the commands as one atomic commit. When it resolves, every watch of these entities that was started before has shown a state that
   * contains the effect. Rejects without any effect, except with `unknown`.
   */
  invoke(invocations: readonly Invocation[], options: InvokeOptions): Promise<Outcome>
  /**
   * The outcome of the commands under an operation id, as long as it is among the latest `limits.operations`; waits for pending commands.
   * `undefined` says that they did not run, and from then on they never do: calling them under this id is refused as `withdrawn`.
   */
  outcome(operationId: string): Promise<Outcome | undefined>
  /** Calls back with the entity as soon as it is loaded and after each change, until the returned function is called. */
  watchEntity(type: string, id: string, listener: (entity: Loaded) => void): () => void
  /** Calls back with all entities that the query names as soon as they are known and after each change. */
  watchType(type: string, query: ListQuery, listener: (rows: readonly Row[]) => void): () => void
  list(type: string, query: ListQuery): Promise<readonly Row[]>
  /** The status at this moment. A following tab does not have its own: it knows what it was sent last. */
  readonly status?: (() => PlaneStatus | undefined) | undefined
  /** Calls back with the status as soon as it is known and after each change. */
  watchStatus(listener: (status: PlaneStatus) => void): () => void
  /** The text of an invitation that may be used for `hours`. Rejects with `wrong-clock` when the clock is in doubt, unless it is to be trusted. */
  invite(hours: number, trustClock: boolean): Promise<string>
  /**
   * Whether an invitation is to the space of this plane; `false` if it is to another one and nothing is lost when that is opened instead.
   * Rejects with `invalid-invitation`, or `wrong-space` if something would be lost.
   */
  invited(invitation: string): Promise<boolean>
  setOnline(online: boolean): Promise<void>
  /**
   * The process may end with this task. From now on commands are stored as soon as they are decided, by writes that begin in the same task.
   * What has to be read before it can be decided may come too late.
   */
  hasten(): void
  close(): Promise<void>
}

/** The backend that the runtime of this device is. */
export interface LocalBackend extends Backend {
  /** Resolves when everything that watches have shown before is durable; rejects when a part of it was given up. */
  readonly settled: () => Promise<void>
}
