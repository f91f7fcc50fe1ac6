import {
  describe,
  limits,
  PeerplaneError,
  type Clock,
  type Network,
  type Random,
  type Scheduler,
  type Trace,
} from '@peerplane/core'
import {
  createLibp2pNetwork,
  Door,
  isMultiaddress,
  monotonic,
  Refusals,
} from '@peerplane/sync/libp2p'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { tcp } from '@libp2p/tcp'

import { shareHandles } from './adapters/handles.ts'
import { boundedRelay } from './libp2p/relay.ts'
import { boundedWebSockets } from './libp2p/websockets.ts'
import { THIS_MACHINE } from './proxies.ts'

/** Throws `invalid-configuration` for anything but a multiaddress. */
export function checkAddresses(addresses: readonly string[]): void {
  for (const address of addresses) {
    if (isMultiaddress(address)) continue
    throw new PeerplaneError(
      'invalid-configuration',
      `${describe(address)} is not a multiaddress`,
      {
        advice: 'Write it like /ip4/203.0.113.7/tcp/7420/ws or /dns4/anchor.example/tcp/443/wss.',
      },
    )
  }
}

/** What a Node peer decides about its network. */
export interface NodeNetworkOptions {
  /** Whether this peer relays for members and introduces them to each other. */
  readonly anchor: boolean
  /** Name of the gossip topic; strangers should not be able to guess it. */
  readonly topic: string
  /** Multiaddresses to listen at, TCP and WebSocket; port 0 takes a free one. */
  readonly listen: readonly string[]
  /** Multiaddresses at which a proxy or router makes this peer reachable. */
  readonly announce?: readonly string[]
  /** Multiaddresses of anchors. */
  readonly dial: readonly string[]
  /** Addresses of proxies before this peer, which stand for many: limits per address do not count for them. Default this machine. */
  readonly proxies?: readonly string[] | undefined
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly random: Random
  readonly trace?: Trace | undefined
}

/** A network over TCP and WebSocket, and through relays. An anchor relays for members, and for nobody else, without limits on bytes or time. */
export async function createNodeNetwork(options: NodeNetworkOptions): Promise<Network> {
  const { anchor, announce = [], proxies = THIS_MACHINE, clock, scheduler, random } = options
  const { seats, pending } = shareHandles()
  const refused = new Refusals(options.trace)
  const now = monotonic(clock)
  const door = new Door({ proxies, seats: pending, scheduler, random, now, refused })
  // Strangers, those that have proved the secret, and those that are being closed.
  const maxSockets = seats + 3 * pending
  return createLibp2pNetwork({
    ...options,
    announce,
    proxies,
    transports: [
      tcp({ maxConnections: maxSockets }),
      boundedWebSockets({ door, maxSockets }),
      ...(anchor ? [] : [circuitRelayTransport()]),
    ],
    ...(anchor && { relay: boundedRelay(limits.relayReservations) }),
    webrtc: false,
    door,
    refused,
    seats,
  })
}
