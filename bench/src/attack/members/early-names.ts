import {
  decodeCanonical,
  encodeCanonical,
  entityKey,
  fromHex,
  PREFIX_BYTES,
  readTip,
  WrittenSession,
  type Batch,
  type Link,
  type SessionId,
  type Tip,
  type Value,
} from '@peerplane/core'
import { setTimeout as pause } from 'node:timers/promises'

import type { Attack } from '../attack.ts'
import { HEART } from '../entities.ts'
import { listFrame, runFrame } from './frames.ts'
import { writeBatch } from './log.ts'
import { join, linkUp, networkOf } from './member.ts'

const PER_SECOND = 4
const TURN_MS = 50
/** Commits of each session that are named in one turn, and up to how far ahead. */
const COUNT = 200
const AHEAD = 5_000

/** Writes that supersede what others have yet to write. The prefixes are guesses: nobody knows them. */
export const earlyNames: Attack = {
  name: 'early-names',
  about:
    'a member names the next 5,000 commits of every session as superseded, 200 of each at a time',
  by: 'member',
  needs: 'names',
  run: async (target, tools) => {
    const member = await join(target.invitation, tools.random)
    const network = await networkOf(member, target, tools)
    const session = new WrittenSession(member, tools)
    const tips = new Map<SessionId, Tip>()
    const named = new Map<SessionId, number>()
    let link: Link | undefined
    await linkUp(member, network, tools, {
      connected: (opened) => (link = opened),
      disconnected: () => (link = undefined),
      frame: async (_, frame) => {
        for (const tip of pageOf(frame)) tips.set(tip.session, tip)
      },
    })
    let previous: Batch | undefined
    while (!tools.signal.aborted) {
      await pause(Math.max(TURN_MS, 1_000 / (PER_SECOND * tools.scale)), undefined, {
        signal: tools.signal,
      }).catch(() => {})
      if (!link || tools.signal.aborted) continue
      await link.send(listFrame('', 0))
      tips.delete(session.record.session)
      const names = [...tips.values()].flatMap((tip): Value[][] => {
        const from = Math.max(tip.seq, named.get(tip.session) ?? 0)
        if (from >= tip.seq + AHEAD) return []
        named.set(tip.session, from + COUNT)
        return Array.from({ length: COUNT }, (__, i) => [
          fromHex(tip.session),
          from + 1 + i,
          tools.random.bytes(PREFIX_BYTES),
        ])
      })
      if (names.length === 0) continue
      const refs = names.map((_, ref) => ref)
      const body = encodeCanonical([names.flat(), [['number', [0, -1, refs]]]])
      // It is earlier than all others: it is shown only where they are superseded.
      const content = { entity: entityKey('pulse', HEART), body }
      const batch = await writeBatch(session, previous, content, tools.random, 0)
      await link.send(runFrame(session.run([batch])))
      tools.count('names', names.length)
      previous = batch
    }
    await network.stop()
  },
}

/** The tips of a page of the answer to a list. */
function pageOf(frame: Uint8Array): Tip[] {
  const [kind, , tips] = decodeCanonical(frame) as readonly Value[]
  return kind === 8 ? (tips as readonly Value[]).map((tip) => readTip(tip, 'tip')) : []
}
