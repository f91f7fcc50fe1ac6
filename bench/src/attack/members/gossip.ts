import { setTimeout as pause } from 'node:timers/promises'

import type { Attack } from '../attack.ts'
import { join, linkUp, networkOf } from './member.ts'

const PER_SECOND = 2_000
const BYTES = 4 * 1024
const TURN_MS = 20

/** A member's garbage for everybody. */
export const gossipFlood: Attack = {
  name: 'gossip-flood',
  about: 'a member gossips 2,000 times a second what nobody wrote, 4 KiB each',
  by: 'member',
  needs: 'announcements',
  run: async (target, tools) => {
    const member = await join(target.invitation, tools.random)
    const network = await networkOf(member, target, tools)
    let links = 0
    await linkUp(member, network, tools, {
      connected: () => void links++,
      disconnected: () => void links--,
    })
    const garbage = tools.random.bytes(BYTES)
    while (!tools.signal.aborted) {
      const times = links > 0 ? Math.ceil((PER_SECOND * tools.scale * TURN_MS) / 1_000) : 0
      for (let i = 0; i < times; i++) network.announce(garbage)
      tools.count('announcements', times)
      await pause(TURN_MS)
    }
    await network.stop()
  },
}
