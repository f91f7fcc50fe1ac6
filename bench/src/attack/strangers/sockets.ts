import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

import type { Target, Tools } from '../attack.ts'

/** The doors of a daemon that a stranger can knock at. */
export const doorsOf = (target: Target): Readonly<Record<'ws' | 'tcp' | 'page', number>> => ({
  ws: target.webSocketPort,
  tcp: target.tcpPort,
  page: target.pagePort,
})

/** Keeps `wanted` sockets open at a port: one that the daemon closes is replaced. `greet` says what is said over each. */
export async function keepOpen(
  { host }: Target,
  port: number,
  wanted: number,
  { source, signal, count }: Tools,
  greet: (socket: Socket) => void = () => {},
): Promise<void> {
  const open = new Set<Socket>()
  const add = (): void => {
    const socket = connect({ host, port, localAddress: source })
    open.add(socket)
    socket.on('connect', () => {
      count('sockets')
      socket.on('close', () => {
        if (!signal.aborted) count('cuts')
      })
      greet(socket)
    })
    socket.on('error', () => count('refused'))
    socket.on('close', () => open.delete(socket))
    socket.resume()
  }
  while (!signal.aborted) {
    // A few at a time: the backlog of a listening socket is short.
    for (let i = 0; i < 100 && open.size < wanted; i++) add()
    await pause(50, undefined, { signal }).catch(() => {})
  }
  for (const socket of open) socket.destroy()
}
