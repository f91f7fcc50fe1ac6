import {
  decodeCanonical,
  encodeCanonical,
  entityKey,
  tipAfter,
  toHex,
  WrittenSession,
  type Batch,
  type Link,
  type SessionId,
  type Value,
} from '@peerplane/core'
import { setTimeout as pause } from 'node:timers/promises'

import type { Attack } from '../attack.ts'
import { VICTIM } from '../entities.ts'
import { haveFrame, runFrame } from './frames.ts'
import { writeBatch } from './log.ts'
import { join, linkUp, networkOf, type Member } from './member.ts'
import type { Target, Tools } from '../attack.ts'

const PER_SECOND = 20
const TURN_MS = 50

/** A session of which there are two versions from commit 2 on. */
interface Forked {
  readonly session: WrittenSession
  readonly first: readonly Batch[]
  readonly second: readonly Batch[]
}

/** Sessions that are shown, and then shown to be forked: all who have folded them fold again without them. */
export const forkStorm: Attack = {
  name: 'fork-storm',
  about: 'a member forks 20 sessions a second that all have folded',
  by: 'member',
  needs: 'forks',
  run: async (target, tools) => {
    const member = await join(target.invitation, tools.random)
    await storm(member, member, target, tools)
  },
}

/** The links of the device that forks are refused after some proofs; this one has no link. */
export const forkCourier: Attack = {
  name: 'fork-courier',
  about: 'a member forks 20 sessions a second that all have folded, and another member brings them',
  by: 'member',
  needs: 'forks',
  run: async (target, tools) => {
    const author = await join(target.invitation, tools.random)
    await storm(author, await join(target.invitation, tools.random), target, tools)
  },
}

async function storm(author: Member, courier: Member, target: Target, tools: Tools): Promise<void> {
  const network = await networkOf(courier, target, tools)
  const forks = new Map<SessionId, Forked>()
  let link: Link | undefined
  await linkUp(courier, network, tools, {
    connected: (opened) => (link = opened),
    disconnected: () => (link = undefined),
    frame: async (from, frame) => {
      for (const [session, first] of wanted(frame)) {
        const fork = forks.get(session)
        if (!fork) continue
        if (first === 1) tools.count('forks')
        await from.send(runFrame(fork.session.run(fork.second.slice(first - 1))))
      }
    },
  })
  const begun = performance.now()
  while (!tools.signal.aborted) {
    const due = ((performance.now() - begun) / 1_000) * PER_SECOND * tools.scale
    while (link && forks.size < due && !tools.signal.aborted) {
      const fork = await makeFork(author, tools)
      forks.set(fork.session.record.session, fork)
      // It may have been cut off meanwhile.
      if (link) await show(link, fork)
    }
    await pause(TURN_MS)
  }
  await network.stop()
}

/** The first version as it is, of the second only that it goes further: then it is asked for. */
async function show(link: Link, { session, first, second }: Forked): Promise<void> {
  await link.send(runFrame(session.run(first)))
  await link.send(haveFrame([tipAfter(second.at(-1)!)]))
}

async function makeFork(member: Member, { random }: Tools): Promise<Forked> {
  const session = new WrittenSession(member, { random })
  const write = (before: Batch | undefined, by: number): Promise<Batch> => {
    const body = encodeCanonical([[], [by]])
    return writeBatch(session, before, { entity: entityKey('counter', VICTIM), body }, random)
  }
  const start = await write(undefined, 1)
  const one = await write(start, 2)
  const other = await write(start, 3)
  const end = await write(other, 4)
  return { session, first: [start, one], second: [start, other, end] }
}

/** Sessions that are asked for, with the first commit. */
function wanted(frame: Uint8Array): (readonly [SessionId, number])[] {
  const [kind, ranges] = decodeCanonical(frame) as readonly Value[]
  if (kind !== 3) return []
  return (ranges as readonly (readonly [Uint8Array, number, number])[]).map(
    ([session, from]) => [toHex(session) as SessionId, from] as const,
  )
}
