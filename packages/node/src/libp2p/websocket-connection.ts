import { limits } from '@peerplane/core'
import type { MultiaddrConnection } from '@libp2p/interface'
import { AbstractMultiaddrConnection } from '@libp2p/utils'
import type { AbstractMultiaddrConnectionInit, SendResult } from '@libp2p/utils'
import type { WebSocket } from 'ws'

/** Options for sockets of both ends: nothing is unpacked, answered or kept beyond the limit of a message. */
export const socketOptions = {
  maxPayload: limits.webSocketBytes,
  // A message in more pieces than that is made to waste memory.
  maxFragments: 16,
  maxBufferedChunks: 1024,
  perMessageDeflate: false,
  autoPong: false,
  closeTimeout: 1_000,
} as const

/** A WebSocket as a transport for libp2p, with backpressure in both directions. */
export function websocketConnection(
  socket: WebSocket,
  init: Omit<AbstractMultiaddrConnectionInit, 'name'>,
): MultiaddrConnection {
  return new WebSocketConnection(socket, init)
}

class WebSocketConnection extends AbstractMultiaddrConnection {
  readonly #socket: WebSocket

  constructor(socket: WebSocket, init: Omit<AbstractMultiaddrConnectionInit, 'name'>) {
    super({ ...init, maxMessageSize: limits.webSocketBytes })
    this.#socket = socket
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.onData(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      else this.abort(new TypeError('a text message came'))
    })
    socket.on('error', (error) => this.abort(error))
    socket.on('close', (code) => {
      if (code === ABNORMAL) this.onRemoteReset()
      else this.onTransportClosed()
    })
  }

  sendData(data: Parameters<AbstractMultiaddrConnection['sendData']>[0]): SendResult {
    const bytes = data.subarray()
    this.#socket.send(bytes, () => this.#flushed())
    const canSendMore = this.#socket.bufferedAmount < limits.webSocketOutBytes
    return { sentBytes: bytes.length, canSendMore }
  }

  #flushed(): void {
    const hasRoom = this.#socket.bufferedAmount < limits.webSocketOutBytes / 2
    if (this.writableNeedsDrain && hasRoom) this.safeDispatchEvent('drain')
  }

  sendReset(): void {
    this.#socket.terminate()
  }

  // Promised by the interface.
  async sendClose(): Promise<void> {
    this.#socket.close()
    await Promise.resolve()
  }

  sendPause(): void {
    this.#socket.pause()
  }

  sendResume(): void {
    this.#socket.resume()
  }
}

/** Closed without a close frame. */
const ABNORMAL = 1006
