import { limits } from '@peerplane/core'
import type { Components, Door } from '@peerplane/sync/libp2p'
import {
  transportSymbol,
  type Connection,
  type DialTransportOptions,
  type Transport,
} from '@libp2p/interface'
import { multiaddrToUri } from '@multiformats/multiaddr-to-uri'
import { WebSockets, WebSocketsSecure } from '@multiformats/multiaddr-matcher'
import type { Multiaddr } from '@multiformats/multiaddr'
import { WebSocket } from 'ws'

import { socketOptions, websocketConnection } from './websocket-connection.ts'
import { websocketListener } from './websocket-listener.ts'

/** What the transport works with. */
export interface WebSocketOptions {
  readonly door: Door
  /** Sockets that are open at one listener at once. */
  readonly maxSockets: number
}

/**
 * WebSockets for libp2p in Node. The transport of libp2p keeps messages of 100 MiB whole, and neither counts nor ends sockets that are silent
 * before they have become WebSockets.
 */
export const boundedWebSockets =
  (options: WebSocketOptions) =>
  (components: Components): Transport => ({
    [transportSymbol]: true,
    [Symbol.toStringTag]: 'websockets',
    dial: (address, dialing) => dial(address, dialing, components),
    createListener: (listening) =>
      websocketListener({ ...listening, ...options, logger: components.logger }),
    listenFilter: (addresses) => addresses.filter((address) => WebSockets.exactMatch(address)),
    dialFilter: (addresses) =>
      addresses.filter(
        (address) => WebSockets.exactMatch(address) || WebSocketsSecure.exactMatch(address),
      ),
  })

async function dial(
  address: Multiaddr,
  options: DialTransportOptions,
  { logger }: Components,
): Promise<Connection> {
  const { signal } = options
  signal.throwIfAborted()
  const socket = new WebSocket(multiaddrToUri(address), {
    ...socketOptions,
    handshakeTimeout: limits.handshakeMs,
  })
  const giveUp = (): void => socket.terminate()
  signal.addEventListener('abort', giveUp)
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve).once('error', reject)
    })
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
  const connection = websocketConnection(socket, {
    remoteAddr: address,
    direction: 'outbound',
    log: logger.forComponent('libp2p:websockets:connection'),
  })
  return options.upgrader.upgradeOutbound(connection, options)
}
