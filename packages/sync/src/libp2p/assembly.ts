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

/** The components that libp2p passes to transports and services. */
export type Components = Parameters<NonNullable<Libp2pOptions['transports']>[number]>[0]

/**
 * Makes a transport. A transport that inspects the bytes of its connections calls `offended` when a peer has broken a rule. The network closes the
 * connections of a peer that has broken a rule.
 */
export type TransportFactory = (
  components: Components,
  offended: (peer: string, why: Refusal) => void,
) => Transport

/** Options for a network over libp2p. */
export interface Libp2pNetworkOptions {
  /** Whether this peer is an anchor. */
  readonly anchor: boolean
  /** The name of the gossip topic, which strangers must not be able to guess. */
  readonly topic: string
  /** The multiaddresses to listen on. */
  readonly listen: readonly string[]
  /** Additional multiaddresses at which peers can reach this peer. */
  readonly announce: readonly string[]
  /** The multiaddresses of peers to which this peer stays connected. */
  readonly dial: readonly string[]
  readonly transports: readonly TransportFactory[]
  /** The relay for members. Only an anchor has a relay. */
  readonly relay?: (components: Components) => RelaySeats
  /** Whether the transports can make WebRTC connections. */
  readonly webrtc: boolean
  /**
   * The `Door` that counts strangers: peers that have not proved that they are members. Set `door` if the transports count each stranger from the
   * first byte that the stranger sends. Default: a new `Door`, which counts strangers only of this network.
   */
  readonly door?: Door
  /** The counter of refused peers. Default: a new counter for this network. */
  readonly refused?: Refusals
  /**
   * The addresses of proxies. Limits per address do not apply to proxies, because each proxy carries the connections of many clients. Default: no
   * proxies.
   */
  readonly proxies?: readonly string[]
  /** The maximum number of simultaneous connections of members. Default: `limits.connections`. */
  readonly seats?: number
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly random: Random
  readonly trace?: Trace | undefined
}

/** A libp2p node that has not started, and its parts. */
export interface Assembled {
  readonly libp2p: Libp2p
  readonly gossip: GossipSub
  readonly topologies: Topologies
  readonly transports: readonly Transport[]
  readonly relay: RelaySeats | undefined
}

const GRACE_MS = 1_000

/** A ping that takes longer closes the connection. The time is so long that a busy main thread does not close it. */
const PING_TIMEOUT_MS = 10_000

/** Assembles a libp2p node behind a gate. */
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
