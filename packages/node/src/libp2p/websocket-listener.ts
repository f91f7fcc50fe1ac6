import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

import { limits } from '@peerplane/core'
import type { Arrival, Door } from '@peerplane/sync/libp2p'
import {
  TypedEventEmitter,
  type ComponentLogger,
  type CreateListenerOptions,
  type Listener,
  type ListenerEvents,
} from '@libp2p/interface'
import { getNetConfig, getThinWaistAddresses, ipPortToMultiaddr } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'
import { WebSocketServer, type WebSocket } from 'ws'

import { socketOptions, websocketConnection } from './websocket-connection.ts'

/** What a listener works with. */
export interface WebSocketListenerOptions extends CreateListenerOptions {
  readonly door: Door
  readonly logger: ComponentLogger
  /** Sockets at once, of any kind. */
  readonly maxSockets: number
}

/**
 * Listens for WebSockets. A socket is counted at the door from the moment it is accepted: one that sends nothing, or half a request, is closed
 * when others need its place, and after `limits.handshakeMs` in any case.
 */
export function websocketListener(options: WebSocketListenerOptions): Listener {
  return new WebSocketListener(options)
}

class WebSocketListener extends TypedEventEmitter<ListenerEvents> implements Listener {
  readonly #options: WebSocketListenerOptions
  readonly #http = createServer({
    headersTimeout: limits.handshakeMs,
    requestTimeout: limits.handshakeMs,
    maxHeaderSize: limits.httpHeaderBytes,
    keepAliveTimeout: 1,
  })
  readonly #sockets = new Set<Socket>()
  readonly #arrivals = new WeakMap<Socket, Arrival>()
  readonly #websockets = new WebSocketServer({ noServer: true, ...socketOptions })
  readonly #stopping = new AbortController()
  #address: Multiaddr | undefined

  constructor(options: WebSocketListenerOptions) {
    super()
    this.#options = options
    this.#http.maxConnections = options.maxSockets
    this.#http.on('connection', (socket: Socket) => this.#accepted(socket))
    this.#http.on('request', (_, response) => {
      response.writeHead(426, { Connection: 'close', 'Content-Type': 'text/plain' })
      response.end('Only WebSockets are served here.\n')
    })
    this.#http.on('upgrade', (request, socket, head) => {
      this.#websockets.handleUpgrade(request, socket, head, (websocket) =>
        this.#opened(websocket, request),
      )
    })
  }

  async listen(address: Multiaddr): Promise<void> {
    const { host, port, type } = getNetConfig(address)
    await new Promise<void>((resolve, reject) => {
      this.#http.once('error', reject)
      this.#http.listen({ host, port, ipv6Only: type === 'ip6' }, resolve)
    })
    this.#address = address
    this.safeDispatchEvent('listening')
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#http.close(resolve))
    this.#stopping.abort()
    for (const socket of this.#sockets) socket.destroy()
    await closed
    this.safeDispatchEvent('close')
  }

  getAddrs(): Multiaddr[] {
    const bound = this.#http.address() as AddressInfo | null
    if (!bound) return []
    return getThinWaistAddresses(this.#address, bound.port).map((found) => found.encapsulate('/ws'))
  }

  updateAnnounceAddrs(): void {
    // The address manager is given the announced addresses.
  }

  #accepted(socket: Socket): void {
    const { remoteAddress } = socket
    const arrival =
      remoteAddress && this.#options.door.arrive(remoteAddress, () => socket.destroy())
    if (!arrival) {
      socket.destroy()
      return
    }
    this.#sockets.add(socket)
    this.#arrivals.set(socket, arrival)
    socket.on('close', () => {
      this.#sockets.delete(socket)
      arrival.over()
    })
  }

  #opened(websocket: WebSocket, { socket }: IncomingMessage): void {
    const { upgrader, door, logger } = this.#options
    const { remoteAddress, remotePort } = socket
    const arrival = this.#arrivals.get(socket)
    if (!remoteAddress || !remotePort || !arrival) {
      websocket.terminate()
      return
    }
    // A longer message than may come, or one in too many pieces.
    websocket.on('error', (error) => {
      if (/^WS_ERR_(UNSUPPORTED|TOO_MANY)/.test(String(Reflect.get(error, 'code')))) {
        arrival.over('oversized')
      }
    })
    const connection = websocketConnection(websocket, {
      remoteAddr: ipPortToMultiaddr(remoteAddress, remotePort).encapsulate('/ws'),
      direction: 'inbound',
      log: logger.forComponent('libp2p:websockets:connection'),
    })
    door.belongs(connection, arrival)
    upgrader
      .upgradeInbound(connection, { signal: this.#stopping.signal })
      .catch((error: Error) => connection.abort(error))
  }
}
