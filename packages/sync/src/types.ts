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
  Random,
  Replica,
  Scheduler,
  SigningKey,
  Space,
  Trace,
} from '@peerplane/core'

/** What `createSync` needs. */
export interface SyncOptions {
  readonly network: Network
  readonly replica: Replica
  readonly space: Space
  /** The key of this device. */
  readonly key: SigningKey
  /** Admissions from the creator of the space to this device; empty for the creator. */
  readonly chain: readonly Admission[]
  readonly crypto: Crypto
  readonly random: Random
  readonly perturb?: Perturb | undefined
  readonly trace?: Trace | undefined
  readonly clock: Clock
  readonly scheduler: Scheduler
  /** Whether a device has been seen in this space before: then its invitation is not checked for expiry again. */
  readonly isKnown: (device: DeviceId) => boolean
  /**
   * These devices have been seen: a peer that was let in, the author of a session that was admitted, and the devices that their admissions
   * name.
   */
  readonly remember: (devices: readonly DeviceId[]) => void
  /** How fast sessions are accepted from the device that begins them; default as in `limits`. */
  readonly sessionRate?: { readonly perSecond: number; readonly burst: number }
}

/** One admitted peer, and what it and this device have not exchanged yet. */
export interface LinkStatus {
  readonly device: DeviceId
  /** Network id; a new one each time the peer starts. */
  readonly peer: string
  readonly path: Path
  readonly anchor: boolean
  /** Commits that we hold and it has not announced. */
  readonly pending: number
  /** Commits that it has announced and we do not hold. */
  readonly behind: number
}

/** The status of sync for people, as plain data. */
export interface SyncStatus {
  readonly peers: readonly LinkStatus[]
  readonly network: NetworkStatus
  /** The latest failure of a handshake, of a link or of the log, until a later handshake or run succeeds. */
  readonly lastError: { readonly code: ErrorCode; readonly message: string } | undefined
}

/** Keeps the log of one space equal to that of every peer that can be reached. */
export interface Sync {
  /** Starts the network and exchanges with the peers that are there; may be called again after `stop`. */
  start(): Promise<void>
  /** Closes the links to all peers and stops the network. */
  stop(): Promise<void>
  status(): SyncStatus
  /** Calls back, often, when the status may have changed. The returned function ends it. */
  onChange(callback: () => void): () => void
}
