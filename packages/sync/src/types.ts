import type {
  Admission,
  Clock,
  Crypto,
  DeviceId,
  ErrorCode,
  Network,
  NetworkStatus,
  Path,
  Perturb,
  Protocol,
  Random,
  Replica,
  Scheduler,
  SigningKey,
  Space,
  Trace,
} from '@peerplane/core'

/** Options for `createSync`. */
export interface SyncOptions {
  readonly network: Network
  readonly replica: Replica
  readonly space: Space
  /** The signing key of this device. */
  readonly key: SigningKey
  /** The chain of admissions that leads from the creator of the space to this device. The admission chain of the creator is empty. */
  readonly chain: readonly Admission[]
  readonly crypto: Crypto
  readonly random: Random
  readonly perturb?: Perturb | undefined
  readonly trace?: Trace | undefined
  readonly clock: Clock
  readonly scheduler: Scheduler
  /** Whether a device has been seen in this space before. The expiry of an invitation is checked only for devices that have not been seen before. */
  readonly isKnown: (device: DeviceId) => boolean
  /**
   * Remembers that `devices` have been seen in this space. The network calls `remember` with all devices in the admission chain of a peer that it
   * admits, and of the device of a session that it accepts.
   */
  readonly remember: (devices: readonly DeviceId[]) => void
  /** The protocol versions and capabilities that this device offers in a handshake. Default: all that this version of Peerplane supports. */
  readonly protocol?: Protocol | undefined
  /**
   * The rate at which new sessions are accepted from the device that begins them. Default: `limits.sessionsPerMinute` and `limits.sessionsAtOnce`.
   */
  readonly sessionRate?: { readonly perSecond: number; readonly burst: number }
}

/** The status of the link to one admitted peer, with the numbers of commits that are not exchanged yet. */
export interface LinkStatus {
  readonly device: DeviceId
  /** The network id of the peer, which is new each time the peer starts. */
  readonly peer: string
  readonly path: Path
  readonly anchor: boolean
  /** How many commits of this device the peer may still lack: the peer has not yet announced that it holds them. */
  readonly pending: number
  /** How many commits of the peer this device still lacks: the peer has announced that it holds them. */
  readonly behind: number
}

/** The status of the sync service, as plain data for display to people. */
export interface SyncStatus {
  readonly peers: readonly LinkStatus[]
  readonly network: NetworkStatus
  /**
   * The latest failure of a handshake, of a link or of the log. `lastError` is `undefined` after a later handshake or transfer of commits has
   * succeeded.
   */
  readonly lastError: { readonly code: ErrorCode; readonly message: string } | undefined
}

/** Keeps the log of one space equal to the logs of all reachable peers. */
export interface Sync {
  /** Starts the network and exchanges commits with connected peers. `start` may be called again after `stop`. */
  start(): Promise<void>
  /** Closes the links to all peers and stops the network. */
  stop(): Promise<void>
  status(): SyncStatus
  /** Calls `callback` whenever the status may have changed, which happens often. The calls end when the returned function is called. */
  onChange(callback: () => void): () => void
}
