import type { Network } from '@peerplane/core'
import { createLibp2pNetwork } from '@peerplane/sync/libp2p'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { webRTC } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'

import type { BrowserNetworkOptions } from './libp2p.ts'

/** The network itself. Only the lazy door in `libp2p.ts` imports this file. */
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
      webRTC({ rtcConfiguration: { iceServers } }),
      circuitRelayTransport(),
    ],
    webrtc: true,
  })
}
