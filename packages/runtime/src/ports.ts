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

/** The ports that a platform package supplies to the runtime: all parts that are not pure. */
export interface Ports {
  readonly store: Store
  /** The key of this device. */
  readonly key: SigningKey
  /** Writes that store the key together with the first membership. Absent if the key is not kept in the store. */
  readonly keyWrites?: readonly Write[] | undefined
  readonly crypto: Crypto
  readonly random: Random
  readonly clock: Clock
  readonly scheduler: Scheduler
  /** Takes rare branches, in simulations only. */
  readonly perturb?: Perturb | undefined
  /** Called with every event of the plane. */
  readonly trace?: Trace | undefined
  /** Makes the network when the plane first goes online. Without this function, the plane never uses a network. */
  readonly network?: NetworkFactory | undefined
}

/** Makes a network for one space. The network does not listen or dial before it is started. */
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

/** Called with an error of the application that belongs to no call. This function must not throw. */
export type Report = (error: PeerplaneError) => void
