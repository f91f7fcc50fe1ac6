import { encodeBatch, WrittenSession } from '@peerplane/core'
import { setTimeout as pause } from 'node:timers/promises'

import type { Attack } from '../attack.ts'
import { runFrame } from './frames.ts'
import { nowhere, writeBatch } from './log.ts'
import { join, linkUp, networkOf } from './member.ts'

const BATCH_BYTES = 1_000_000
const PAUSE_MS = 10

/** Runs of almost 1 MiB that nobody has asked for, with a signature that is wrong: each costs its receiver the hashing. */
export const forgedRuns: Attack = {
  name: 'forged-runs',
  about: 'a member sends runs of 1 MB with a forged signature, as fast as they are taken',
  by: 'member',
  needs: 'runs',
  run: async (target, tools) => {
    const member = await join(target.invitation, tools.random)
    const network = await networkOf(member, target, tools)
    const session = new WrittenSession(member, tools)
    const body = new Uint8Array(BATCH_BYTES * Math.min(1, tools.scale))
    const batch = await writeBatch(session, undefined, { entity: nowhere, body }, tools.random)
    const forged = { ...batch, signature: tools.random.bytes(64) }
    const frame = runFrame({ ...session.run([batch]), batches: [encodeBatch(forged)] })
    await linkUp(member, network, tools, {
      connected: (link) => {
        let isOpen = true
        void (async () => {
          while (isOpen && !tools.signal.aborted) {
            const before = performance.now()
            await link.send(frame)
            tools.count('runs')
            // A link that has been closed takes everything at once.
            isOpen = network.status().connections.length > 0 || performance.now() - before > 1
            await pause(PAUSE_MS)
          }
        })()
      },
    })
    while (!tools.signal.aborted) await pause(50)
    await network.stop()
  },
}
