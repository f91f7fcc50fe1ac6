import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

import type { Attack } from '../attack.ts'
import { doorsOf, keepOpen } from './sockets.ts'

const SOCKETS = 400

/** Opens sockets at every port and says nothing. */
export const silentSockets: Attack = {
  name: 'silent-sockets',
  about: '400 sockets at each port that say nothing',
  by: 'stranger',
  needs: 'sockets',
  run: async (target, tools) => {
    const each = Math.ceil(SOCKETS * tools.scale)
    await Promise.all(
      Object.values(doorsOf(target)).map((port) => keepOpen(target, port, each, tools)),
    )
  },
}

const PER_SECOND = 45

/** Opens sockets steadily, from the address that members have too, as from behind one router or proxy. */
export const silentFlood: Attack = {
  name: 'silent-flood',
  about:
    '45 sockets a second at the ports of the daemon, from the address of the members, that say nothing',
  by: 'stranger',
  needs: 'sockets',
  run: async ({ host, tcpPort, webSocketPort }, { scale, signal, count }) => {
    const open = new Set<Socket>()
    for (let made = 0; !signal.aborted; made++) {
      const socket = connect({ host, port: made % 2 ? tcpPort : webSocketPort })
      open.add(socket)
      socket.on('connect', () => count('sockets'))
      socket.on('error', () => count('refused'))
      socket.on('close', () => open.delete(socket))
      socket.resume()
      await pause(1_000 / (PER_SECOND * scale), undefined, { signal }).catch(() => {})
    }
    for (const socket of open) socket.destroy()
  },
}
