import type {
  Clock,
  Crypto,
  Network,
  PeerplaneError,
  Perturb,
  Random,
  Scheduler,
  SigningKey,
  Store,
  Trace,
  Write,
} from '@peerplane/core'

/** What a platform package supplies to the runtime: everything that is not pure. */
export interface Ports {
  readonly store: Store
  /** The key of this device. */
  readonly key: SigningKey
  /** Stores the key together with the first membership; absent if the key is kept elsewhere. */
  readonly keyWrites?: readonly Write[] | undefined
  readonly crypto: Crypto
  readonly random: Random
  readonly clock: Clock
  readonly scheduler: Scheduler
  /** For simulations. */
  readonly perturb?: Perturb | undefined
  /** Called with each event of the plane. */
  readonly trace?: Trace | undefined
  /** Assembles the network when the plane first goes online; without this function the plane works alone. */
  readonly network?: NetworkFactory | undefined
}

/** Assembles a network for one space; it neither listens nor dials before it is started. */
export type NetworkFactory = (space: NetworkSpace) => Promise<Network>

/** What a network must know of the space it serves. */
export interface NetworkSpace {
  /** Gossip topic, derived from the space secret. */
  readonly topic: string
  /** Multiaddresses to stay connected to. */
  readonly dial: readonly string[]
  /** Whether this device is an anchor of the space. */
  readonly anchor: boolean
}

/** Called with a failure of the application that belongs to no call. It must not throw. */
export type Report = (error: PeerplaneError) => void
