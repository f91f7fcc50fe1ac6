import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

import type { Attack, Tools } from '../attack.ts'
import { trickle } from './slow.ts'

const SOCKETS = 64

/** Another program of the same user. */
export const controlAbuse: Attack = {
  name: 'control-abuse',
  about: '64 connections to the control socket that trickle, send endless lines, or never read',
  by: 'local',
  needs: 'sockets',
  run: async ({ control }, tools) => {
    const open = new Set<Socket>()
    let made = 0
    while (!tools.signal.aborted) {
      if (open.size < Math.ceil(SOCKETS * tools.scale)) {
        abuse(connect(control), abuses[made++ % abuses.length]!, open, tools)
      }
      await pause(10, undefined, { signal: tools.signal }).catch(() => {})
    }
    for (const socket of open) socket.destroy()
  },
}

const abuses: readonly ((socket: Socket) => void)[] = [
  (socket) => trickle(socket, `{"kind":"ask","id":0,"more":"${'x'.repeat(1_000)}`),
  (socket) => socket.write('x'.repeat(1 << 20)),
  (socket) => socket.write(Buffer.from([0xff, 0xfe, 0x00, 0x0a])),
  (socket) =>
    socket.pause().write('{"kind":"ask","id":0,"operation":"describe","given":[]}\n'.repeat(1_000)),
]

function abuse(
  socket: Socket,
  how: (socket: Socket) => void,
  open: Set<Socket>,
  { count, signal }: Tools,
): void {
  open.add(socket)
  socket.on('connect', () => {
    count('sockets')
    socket.on('close', () => {
      if (!signal.aborted) count('cuts')
    })
    how(socket)
  })
  socket.on('error', () => count('refused'))
  socket.on('close', () => open.delete(socket))
}
