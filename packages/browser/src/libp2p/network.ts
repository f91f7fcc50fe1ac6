import type { Clock, Network, Random, Scheduler, Trace } from '@peerplane/core'
import { createLibp2pNetwork } from '@peerplane/sync/libp2p'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { webSockets } from '@libp2p/websockets'

import { boundedWebRTC } from './webrtc.ts'

/** What a browser peer decides about its network. */
export interface BrowserNetworkOptions {
  /** Name of the gossip topic; strangers should not be able to guess it. */
  readonly topic: string
  /** Multiaddresses of anchors, reached by WebSocket. */
  readonly dial: readonly string[]
  /** STUN and TURN servers, as URLs. Without any, WebRTC connects peers of one local network; others stay on the relay. */
  readonly iceServers: readonly string[]
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly random: Random
  readonly trace?: Trace | undefined
}

/** The network itself. Only the lazy door in `../libp2p.ts` imports this file, except for types. */
export async function assembleNetwork(options: BrowserNetworkOptions): Promise<Network> {
  const iceServers = options.iceServers.map((urls) => ({ urls }))
  return createLibp2pNetwork({
    ...options,
    anchor: false,
    listen: [],
    announce: [],
    transports: [
      webSockets(),
      // Without a list libp2p asks public servers of third parties.
      boundedWebRTC({ rtcConfiguration: { iceServers } }),
      circuitRelayTransport(),
    ],
    webrtc: true,
  })
}
