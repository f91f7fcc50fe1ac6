import {
  limits,
  type Clock,
  type Random,
  type Refusal,
  type Scheduler,
  type Trace,
} from '@peerplane/core'
import type { GossipSub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { Libp2p, PrivateKey, Transport } from '@libp2p/interface'
import { createLibp2p, type Libp2pOptions } from 'libp2p'

import type { Door } from './door.ts'
import type { Gate } from './gate.ts'
import { gossipService, type Topologies } from './gossip.ts'
import type { Refusals } from './refusals.ts'
import type { RelaySeats } from './relay.ts'

/** What libp2p hands to the parts that it assembles. */
export type Components = Parameters<NonNullable<Libp2pOptions['transports']>[number]>[0]

/**
 * Makes a transport. A part that inspects the bytes of its connections calls `offended` when a peer has broken a rule: the peer is then cut
 * off.
 */
export type TransportFactory = (
  components: Components,
  offended: (peer: string, why: Refusal) => void,
) => Transport

/** How a network is put together. */
export interface Libp2pNetworkOptions {
  /** Whether this peer is an anchor. */
  readonly anchor: boolean
  /** Name of the gossip topic; strangers should not be able to guess it. */
  readonly topic: string
  /** Multiaddresses to listen at. */
  readonly listen: readonly string[]
  /** Further multiaddresses under which this peer can be reached. */
  readonly announce: readonly string[]
  /** Multiaddresses of peers to stay connected with. */
  readonly dial: readonly string[]
  readonly transports: readonly TransportFactory[]
  /** The relay for members; only anchors have one. */
  readonly relay?: (components: Components) => RelaySeats
  /** Whether the transports can make WebRTC connections. */
  readonly webrtc: boolean
  /** The door for strangers, if the transports count them from the first byte on; default a door of this network. */
  readonly door?: Door
  /** Counts refused peers; default a count of this network. */
  readonly refused?: Refusals
  /** Addresses of proxies, each of which carries the connections of many clients: they are exempt from limits per address. Default none. */
  readonly proxies?: readonly string[]
  /** How many members may be connected at once; default `limits.connections`. */
  readonly seats?: number
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly random: Random
  readonly trace?: Trace | undefined
}

/** A libp2p node that has not started, and what is inside. */
export interface Assembled {
  readonly libp2p: Libp2p
  readonly gossip: GossipSub
  readonly topologies: Topologies
  readonly transports: readonly Transport[]
  readonly relay: RelaySeats | undefined
}

const GRACE_MS = 1_000

/** A ping that takes longer closes the connection; a busy main thread must not. */
const PING_TIMEOUT_MS = 10_000

/** Puts a node together behind a gate. */
export async function assemble(
  options: Libp2pNetworkOptions,
  privateKey: PrivateKey,
  gate: Gate,
): Promise<Assembled> {
  let inside: Components | undefined
  const { relay } = options
  const libp2p = await createLibp2p({
    start: false,
    privateKey,
    addresses: { listen: [...options.listen], appendAnnounce: [...options.announce] },
    transports: options.transports.map(
      (make) => (components) => make(components, (peer, why) => gate.offended(peer, why)),
    ),
    connectionEncrypters: [gate.encrypter()],
    streamMuxers: [gate.muxer()],
    connectionGater: gate.gater(),
    connectionManager: {
      // Whom to let in, and who gives way, is decided at the door and by `Seats`.
      maxConnections: Infinity,
      maxIncomingPendingConnections: Infinity,
      inboundConnectionThreshold: Infinity,
      // The door ends it, and counts it; this is for what the door does not see.
      inboundUpgradeTimeout: limits.handshakeMs + GRACE_MS,
      dialTimeout: limits.handshakeMs,
      addressDialTimeout: limits.handshakeMs,
      // We redial ourselves, and only whom we mean to.
      reconnectRetries: 0,
    },
    connectionMonitor: { pingTimeout: { minTimeout: PING_TIMEOUT_MS } },
    services: {
      identify: identify(),
      gossip: gossipService(options.topic),
      inside: (components: Components) => {
        inside = components
        return {}
      },
      ...(relay && { relay }),
    },
  })
  if (!inside) throw new TypeError('libp2p assembled no services')
  return {
    libp2p,
    gossip: libp2p.services.gossip,
    topologies: inside.registrar,
    transports: inside.transportManager.getTransports(),
    relay: libp2p.services.relay,
  }
}
