import { WrittenSession } from '@peerplane/core'
import { setTimeout as pause } from 'node:timers/promises'

import type { Attack } from '../attack.ts'
import { runFrame } from './frames.ts'
import { nowhere, writeBatch } from './log.ts'
import { join, linkUp, networkOf } from './member.ts'

const PER_SECOND = 200
const TURN_MS = 50

/** As many sessions as one device can sign; each makes every frontier 39 bytes longer, for ever. */
export const sessionFlood: Attack = {
  name: 'session-flood',
  about: 'one device opens 200 sessions a second, each with one commit',
  by: 'member',
  needs: 'sessions',
  run: async (target, tools) => {
    const member = await join(target.invitation, tools.random)
    const network = await networkOf(member, target, tools)
    const body = new Uint8Array([0x80])
    await linkUp(member, network, tools, {
      connected: (link) => {
        let isOpen = true
        const begun = performance.now()
        let sessions = 0
        const flood = async (): Promise<void> => {
          while (isOpen && !tools.signal.aborted) {
            const due = ((performance.now() - begun) / 1_000) * PER_SECOND * tools.scale
            for (; sessions < due && !tools.signal.aborted; sessions++) {
              const session = new WrittenSession(member, tools)
              const content = { entity: nowhere, body }
              const batch = await writeBatch(session, undefined, content, tools.random)
              await link.send(runFrame(session.run([batch])))
              tools.count('sessions')
            }
            isOpen = network.status().connections.length > 0
            await pause(TURN_MS)
          }
        }
        void flood()
      },
    })
    while (!tools.signal.aborted) await pause(TURN_MS)
    await network.stop()
  },
}
