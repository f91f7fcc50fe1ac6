import { decodeCanonical, toHex, type SessionId, type Tip, type Value } from '@peerplane/core'
import { setTimeout as pause } from 'node:timers/promises'

import type { Attack } from '../attack.ts'
import { haveFrame, summaryFrame } from './frames.ts'
import { lie } from './log.ts'
import { join, linkUp, networkOf } from './member.ts'

const TIPS_PER_FRAME = 1_000
const FRAMES = 192
const FAR = 2 ** 40

/** Claims to hold sessions that do not exist, and more of those that do. */
export const lyingFrontiers: Attack = {
  name: 'lying-frontiers',
  about:
    'a member claims 192,000 sessions that nobody has, and 2^40 commits of all others, and sends summaries that are made up',
  by: 'member',
  needs: 'tips',
  run: async (target, tools) => {
    const member = await join(target.invitation, tools.random)
    const network = await networkOf(member, target, tools)
    const send = async (link: { send(frame: Uint8Array): Promise<void> }): Promise<void> => {
      for (let i = 0; i < FRAMES * tools.scale && !tools.signal.aborted; i++) {
        const tips = Array.from({ length: TIPS_PER_FRAME * Math.min(1, tools.scale) }, () =>
          lie(toHex(tools.random.bytes(16)) as SessionId, FAR),
        )
        tools.count('tips', tips.length)
        await link.send(haveFrame(tips))
        await link.send(summaryFrame(FAR, FAR, tools.random.bytes(16)))
        await pause(6)
      }
    }
    await linkUp(member, network, tools, {
      connected: (link) => void send(link),
      frame: async (link, frame) => {
        const told = sessionsOf(frame).map((session) => lie(session, FAR))
        tools.count('tips', told.length)
        if (told.length > 0) await link.send(haveFrame(told, ['']))
      },
    })
    while (!tools.signal.aborted) await pause(50)
    await network.stop()
  },
}

/** The sessions that a message names. */
function sessionsOf(frame: Uint8Array): SessionId[] {
  const [kind, tips] = decodeCanonical(frame) as readonly Value[]
  if (kind !== 2) return []
  return (tips as readonly (readonly Value[])[]).map(
    ([session]): Tip['session'] => toHex(session as Uint8Array) as SessionId,
  )
}
