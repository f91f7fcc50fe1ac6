import {
  document,
  encodeCanonical,
  entityKey,
  limits,
  toHex,
  type Link,
  type Random,
  type StateModel,
  type Value,
} from '@peerplane/core'
import { documentModel } from '@peerplane/crdt-store/document'
import { setTimeout as pause } from 'node:timers/promises'

import type { Attack } from '../attack.ts'
import { VICTIM, type kinds } from '../entities.ts'
import { runFrame } from './frames.ts'
import { HandmadeSession } from './log.ts'
import { join, linkUp, networkOf } from './member.ts'

type Kind = keyof typeof kinds

const PER_SECOND = 4
const TURN_MS = 50
const OPS = limits.opsPerSection

/** What one commit does to the entity that honest members show: as much as the rules allow, then what they do not allow. */
type Bodies = (turn: number, random: Random, seq: number) => Uint8Array

const native =
  (ops: (turn: number) => readonly Value[]): Bodies =>
  (turn, random) => {
    if (turn % 4 === 3) return random.bytes(100_000)
    return encodeCanonical([[], [...ops(turn)]])
  }

const times = (make: (index: number) => Value): readonly Value[] =>
  Array.from({ length: OPS }, (_, index) => make(index))

export const bodies: Readonly<Record<Exclude<Kind, 'document'>, Bodies>> = {
  counter: native(() => times(() => 1)),
  // Nobody supersedes them: all stay.
  register: native((turn) => times(() => [0, `${turn}`, []])),
  set: native((turn) => times((index) => [1, `${turn}-${index}`, []])),
  map: native((turn) => times((index) => [3, `${turn}-${index}`, [0, '', []]])),
  record: native(() => times((index) => (index % 2 === 0 ? ['b', 1] : ['a', [0, '', []]]))),
}

/** Valid commits that cost their readers as much as one commit may, for each kernel, several times a second. */
export const hostileBodies: readonly Attack[] = [
  ...Object.entries(bodies).map(([kind, make]) => hostile(kind as Kind, () => async () => make)),
  hostile('document', documentBodies),
]

function hostile(kind: Kind, prepare: (session: HandmadeSession) => () => Promise<Bodies>): Attack {
  return {
    name: `bodies-${kind}`,
    about: `a member writes 4 commits a second to a ${kind}, each as costly as is allowed`,
    by: 'member',
    needs: 'commits',
    run: async (target, tools) => {
      const member = await join(target.invitation, tools.random)
      const network = await networkOf(member, target, tools)
      const session = await HandmadeSession.open(member, tools.random)
      const make = await prepare(session)()
      let link: Link | undefined
      await linkUp(member, network, tools, {
        connected: (opened) => (link = opened),
        disconnected: () => (link = undefined),
      })
      let previous: Awaited<ReturnType<typeof session.batch>> | undefined
      for (let seq = 1; !tools.signal.aborted;) {
        await pause(Math.max(TURN_MS, 1_000 / (PER_SECOND * tools.scale)), undefined, {
          signal: tools.signal,
        }).catch(() => {})
        if (!link || tools.signal.aborted) continue
        const body = make(seq, tools.random, seq)
        const batch = await session.batch(seq, previous?.id, {
          entity: entityKey(kind, VICTIM),
          body,
        })
        await link.send(runFrame(session.run([batch], seq)))
        tools.count('commits')
        previous = batch
        seq++
      }
      await network.stop()
    },
  }
}

/** Long insertions as the kernel itself would write them; every fourth is damaged. */
function documentBodies(session: HandmadeSession): () => Promise<Bodies> {
  return async () => {
    const model: StateModel = await documentModel(document({ text: '' }))
    const state = await model.open(undefined)
    return (turn, random, seq) => {
      if (turn % 4 === 3) return random.bytes(100_000)
      const draft = state.begin({
        device: session.device,
        session: session.session,
        seq,
        time: { ms: 0, counter: 0 },
      })
      const handle = draft.handle as {
        splice(path: readonly string[], index: number, remove: number, text: string): void
      }
      handle.splice(['text'], 0, 0, toHex(random.bytes(20_000)))
      return draft.finish()!
    }
  }
}
