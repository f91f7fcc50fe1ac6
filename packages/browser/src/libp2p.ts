import type { Network, Random, Scheduler } from '@peerplane/core'

/** What a browser peer decides about its network. */
export interface BrowserNetworkOptions {
  /** Name of the gossip topic; strangers should not be able to guess it. */
  readonly topic: string
  /** Multiaddresses of anchors, reached by WebSocket. */
  readonly dial: readonly string[]
  /** STUN and TURN servers, as URLs. Without any, WebRTC connects peers of one local network; others stay on the relay. */
  readonly iceServers: readonly string[]
  readonly scheduler: Scheduler
  readonly random: Random
}

/** A network over WebSocket to anchors and WebRTC to other peers. libp2p is loaded by the first call. */
export async function createBrowserNetwork(options: BrowserNetworkOptions): Promise<Network> {
  const { assembleNetwork } = await import('./libp2p-network.ts')
  return assembleNetwork(options)
}
