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
