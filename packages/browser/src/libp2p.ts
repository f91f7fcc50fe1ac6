import type { Network } from '@peerplane/core'

import type { BrowserNetworkOptions } from './libp2p/network.ts'

/** A network over WebSocket to anchors and WebRTC to other peers. libp2p is loaded by the first call. */
export async function createBrowserNetwork(options: BrowserNetworkOptions): Promise<Network> {
  const { assembleNetwork } = await import('./libp2p/network.ts')
  return assembleNetwork(options)
}
