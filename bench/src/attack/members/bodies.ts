import {
  document,
  encodeCanonical,
  entityKey,
  limits,
  PREFIX_BYTES,
  SESSION_BYTES,
  toHex,
  WrittenSession,
  type Batch,
  type DocumentHandle,
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
import { writeBatch, type Content } from './log.ts'
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

/** A text, or a list with bytes in it. */
const elementOf = (turn: number, index: number): Value =>
  index % 2 === 0 ? `${turn}-${index}` : [turn, index, Uint8Array.of(index % 256)]

export const bodies: Readonly<Record<Exclude<Kind, 'document'>, Bodies>> = {
  counter: native(() => times(() => 1)),
  'grow-only-counter': native(() => times(() => [26, 1])),
  // Each supersedes the one before.
  register: native((turn) => times(() => [0, `${turn}`, []])),
  'multi-value-register': native((turn) => times(() => [25, `${turn}`, []])),
  // In the end it is enabled.
  flag: native(() => times((index) => [index % 2 === 0 ? 21 : 20, []])),
  vote: native(() => times((index) => [24, index % 2 === 0])),
  'grow-only-set': native((turn) => times((index) => [27, elementOf(turn, index)])),
  set: native((turn) => times((index) => [1, elementOf(turn, index)])),
  map: native((turn) => times((index) => [3, `${turn}-${index}`, [0, '', []]])),
  // Each element is moved to where the others were moved.
  list: native(() => times((index) => (index % 2 === 0 ? [10] : [12, [], -1, index - 1]))),
  // Each node is moved below the one before it, which is below it already.
  tree: native(() =>
    times((index) =>
      index % 2 === 0
        ? [15, index === 0 ? null : [-1, index - 2], [0, 0]]
        : [16, [-1, Math.max(0, index - 3)], [-1, index - 1], [0, 0], []],
    ),
  ),
  // Each character is inserted before the one before it; every other op deletes all that the commit has inserted.
  text: native(() =>
    times((index) => {
      if (index === 0) return [30, 'x']
      const count = Math.ceil(index / 2)
      return index % 2 === 0 ? [31, -1, 0, -1, count - 1] : [30, 'x', 0, -1, count - 1]
    }),
  ),
  record: native(() => times((index) => (index % 2 === 0 ? ['b', 1] : ['a', [0, '', []]]))),
  events: (turn, random) => {
    if (turn % 4 === 3) return random.bytes(100_000)
    const list = Array.from({ length: limits.eventsPerSection }, (_, i) => ['added', i]).flat()
    return encodeCanonical(turn === 1 ? [3, [], turn, 0, [0], list] : [1, list])
  },
  value: (turn, random) => {
    if (turn % 4 === 3) return random.bytes(100_000)
    const list = Array.from({ length: 60_000 }, () => turn % 24)
    return encodeCanonical(turn === 1 ? [3, [], turn, 1, list, []] : [2, list])
  },
}

/** What one commit does. */
type Commits = (turn: number, random: Random, seq: number) => readonly Content[]

const to =
  (kind: Kind, make: Bodies): Commits =>
  (turn, random, seq) => [{ entity: entityKey(kind, VICTIM), body: make(turn, random, seq) }]

const ENTITIES = 100
const KEYS = 30_000
const NAMES = 95

const naming = encodeCanonical([
  [new Uint8Array(SESSION_BYTES), 1, new Uint8Array(PREFIX_BYTES)],
  [...times(() => [0, '', Array.from({ length: NAMES }, () => 0)])],
])
const counting = encodeCanonical([[], [...times(() => 1)]])

const many = (
  kind: Kind,
  count: number,
  body: Uint8Array,
  prefix = `${VICTIM}-`,
): readonly Content[] =>
  Array.from({ length: count }, (_, i) => ({ entity: entityKey(kind, `${prefix}${i}`), body }))

/** Commits that are as large as a commit may be, or meet an entity that holds as much as it may. */
export const large = {
  names: to('register', () => naming),
  sections: () => many('counter', ENTITIES, counting),
  // What is counting for a counter is of another kind for a register.
  kinds: () => many('register', ENTITIES, counting),
  entities: (turn) => many('counter', limits.sections, encodeCanonical([[], [1]]), `${turn}-`),
  // Three commits write all keys.
  full: to(
    'map',
    native((turn) => times((i) => [3, `${(turn * OPS + i) % KEYS}`, [0, `${turn}`, []]])),
  ),
} as const satisfies Record<string, Commits>

const abouts: Readonly<Record<keyof typeof large, string>> = {
  names: 'that name another commit 950,000 times',
  sections: 'that add to 100 counters, 10,000 times to each',
  kinds: 'to 100 registers, with 10,000 ops of another kind to each',
  entities: 'to 256 new entities each',
  full: 'to a map of 30,000 keys, each to 10,000 keys',
}

const perSecond = `a member writes ${PER_SECOND} commits a second`

/** Valid commits that cost their readers as much as one commit may, several times a second. */
export const hostileBodies: readonly Attack[] = [
  ...Object.entries(bodies).map(([kind, make]) =>
    hostile(kind, `${perSecond} to a ${kind}, each as costly as is allowed`, async () =>
      to(kind as Kind, make),
    ),
  ),
  hostile('document', `${perSecond} to a document, each as costly as is allowed`, documentBodies),
  ...Object.entries(abouts).map(([name, about]) =>
    hostile(name, `${perSecond} ${about}`, async () => large[name as keyof typeof large]),
  ),
]

function hostile(
  name: string,
  about: string,
  prepare: (session: WrittenSession) => Promise<Commits>,
): Attack {
  return {
    name: `bodies-${name}`,
    about,
    by: 'member',
    needs: 'commits',
    run: async (target, tools) => {
      const member = await join(target.invitation, tools.random)
      const network = await networkOf(member, target, tools)
      const session = new WrittenSession(member, tools)
      const make = await prepare(session)
      let link: Link | undefined
      await linkUp(member, network, tools, {
        connected: (opened) => (link = opened),
        disconnected: () => (link = undefined),
      })
      let previous: Batch | undefined
      for (let seq = 1; !tools.signal.aborted;) {
        await pause(Math.max(TURN_MS, 1_000 / (PER_SECOND * tools.scale)), undefined, {
          signal: tools.signal,
        }).catch(() => {})
        if (!link || tools.signal.aborted) continue
        const contents = make(seq, tools.random, seq)
        const batch = await writeBatch(session, previous, contents, tools.random)
        await link.send(runFrame(session.run([batch])))
        tools.count('commits')
        previous = batch
        seq++
      }
      await network.stop()
    },
  }
}

/**
 * Changes as the kernel itself would write them, with as much work as their bytes allow: a long text, a list of 40,000 values in a few
 * bytes, and a cut of the whole text. None is damaged: a session with a void change has no further effect on a document.
 */
async function documentBodies(session: WrittenSession): Promise<Commits> {
  const model: StateModel = await documentModel(document({ text: '' }))
  const state = await model.open(undefined)
  return to('document', (turn, random, seq) => {
    const draft = state.begin({
      device: session.record.opening.device,
      session: session.record.session,
      seq,
      time: { ms: 0, counter: 0 },
    })
    const handle = draft.handle as DocumentHandle<{
      text: string
      [key: string]: string | null[]
    }>
    if (turn % 3 === 1) handle.splice(['text'], 0, 0, toHex(random.bytes(20_000)))
    else if (turn % 3 === 2) handle['list'] = Array.from({ length: 40_000 }, () => null)
    else handle.splice(['text'], 0, handle.text.length, '')
    return draft.finish()!
  })
}
