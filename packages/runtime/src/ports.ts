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

/** The ports that a platform package supplies to the runtime. All side effects of the runtime go through its ports. */
export interface Ports {
  readonly store: Store
  /** The signing key of this device. */
  readonly key: SigningKey
  /** The writes that store the key of the device, together with its first membership. `keyWrites` is absent if the key is not kept in the store. */
  readonly keyWrites?: readonly Write[] | undefined
  readonly crypto: Crypto
  readonly random: Random
  readonly clock: Clock
  readonly scheduler: Scheduler
  /** The function that decides in simulations when the code takes a rare branch. Outside simulations, `perturb` is absent. */
  readonly perturb?: Perturb | undefined
  /** Called with every event of the plane. */
  readonly trace?: Trace | undefined
  /** Makes the network when the plane first goes online. Without the function `network`, the plane never uses a network. */
  readonly network?: NetworkFactory | undefined
}

/** Makes a network for one space. The network does not listen for connections or dial peers before it is started. */
export type NetworkFactory = (space: NetworkSpace) => Promise<Network>

/** The information about a space that its network needs. */
export interface NetworkSpace {
  /** The name of the gossip topic, which is derived from the space secret. */
  readonly topic: string
  /** The multiaddresses of peers to which the device stays connected. */
  readonly dial: readonly string[]
  /** Whether this device is an anchor of the space. */
  readonly anchor: boolean
}

/**
 * Called with an error of the application that cannot be passed to a caller, for example because a listener threw it. A `Report` function must not
 * throw.
 */
export type Report = (error: PeerplaneError) => void
