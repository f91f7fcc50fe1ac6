import { limits, type Network, type Random, type Scheduler } from '@peerplane/core'
import { createLibp2pNetwork } from '@peerplane/sync/libp2p'
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'

/** What a Node peer decides about its network. */
export interface NodeNetworkOptions {
  /** Whether this peer relays for members and introduces them to each other. */
  readonly anchor: boolean
  /** Name of the gossip topic; strangers should not be able to guess it. */
  readonly topic: string
  /** Multiaddresses to listen at, TCP and WebSocket; port 0 takes a free one. */
  readonly listen: readonly string[]
  /** Multiaddresses under which a proxy or router makes this peer reachable. */
  readonly announce?: readonly string[]
  /** Multiaddresses of anchors. */
  readonly dial: readonly string[]
  readonly scheduler: Scheduler
  readonly random: Random
}

/** A network over TCP and WebSocket, and through relays. An anchor relays for members, and for nobody else, without limits on bytes or time. */
export async function createNodeNetwork(options: NodeNetworkOptions): Promise<Network> {
  const relay = circuitRelayServer({
    reservations: { maxReservations: limits.relayReservations, applyDefaultLimit: false },
  })
  return createLibp2pNetwork({
    ...options,
    announce: options.announce ?? [],
    transports: [tcp(), webSockets(), ...(options.anchor ? [] : [circuitRelayTransport()])],
    ...(options.anchor && { relay }),
    webrtc: false,
  })
}
