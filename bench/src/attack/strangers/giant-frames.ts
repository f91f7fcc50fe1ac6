import type { Socket } from 'node:net'

import type { Attack } from '../attack.ts'
import { keepOpen } from './sockets.ts'

const SOCKETS = 40
const ANNOUNCED_BYTES = 99 * 1024 * 1024
const PIECE = Buffer.alloc(64 * 1024, 0x61)

/** A WebSocket message of 99 MiB, sent as fast as the other side takes it. */
export const giantWebSocketFrames: Attack = {
  name: 'giant-ws-frames',
  about: '40 WebSockets that announce messages of 99 MiB and send them',
  by: 'stranger',
  needs: 'bytes',
  run: async (target, tools) => {
    await keepOpen(
      target,
      target.webSocketPort,
      Math.ceil(SOCKETS * tools.scale),
      tools,
      (socket) => {
        const key = Buffer.from(tools.random.bytes(16)).toString('base64')
        socket.write(
          `GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
        )
        socket.once('data', () => {
          socket.write(webSocketHeader(ANNOUNCED_BYTES))
          pour(socket, ANNOUNCED_BYTES, tools.count)
        })
      },
    )
  },
}

/** Lengths before Noise has begun: of protocol names, then of Noise messages. */
export const giantTcpFrames: Attack = {
  name: 'giant-tcp-frames',
  about: '40 TCP connections that announce names of 99 MiB and send them',
  by: 'stranger',
  needs: 'bytes',
  run: async (target, tools) => {
    await keepOpen(target, target.tcpPort, Math.ceil(SOCKETS * tools.scale), tools, (socket) => {
      socket.write(varint(ANNOUNCED_BYTES))
      pour(socket, ANNOUNCED_BYTES, tools.count)
    })
  },
}

/** Writes zeros until the other side takes no more, again when it does. */
function pour(socket: Socket, total: number, count: (what: string, by: number) => void): void {
  let left = total
  const more = (): void => {
    while (left > 0 && !socket.destroyed) {
      left -= PIECE.length
      count('bytes', PIECE.length)
      if (!socket.write(PIECE)) return
    }
  }
  socket.on('drain', more)
  more()
}

/** Header of a masked binary message (RFC 6455, section 5.2); the mask is zero. */
function webSocketHeader(length: number): Buffer {
  const header = Buffer.alloc(14)
  header[0] = 0x82
  header[1] = 0xff
  header.writeBigUInt64BE(BigInt(length), 2)
  return header
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest])
    bytes.push((rest % 128) + 128)
  }
}
