import {
  encodeCanonical,
  entityKey,
  fromHex,
  type EntityKey,
  type Section,
  type Tip,
  type Value,
} from '@peerplane/core'

import type { SimRandom } from '../world/random.ts'

/** Entities that hostile members may change as they like: honest devices show them, and must agree on them when all is over. */
export const wildKeys: readonly [tally: EntityKey, board: EntityKey] = [
  entityKey('tally', 'wild'),
  entityKey('board', 'wild'),
]

/** Keys that the commands of the campaign use, too. */
const KEYS = ['x', 'y', 'z'] as const

const section = (entity: EntityKey, ops: Value, names: Value = []): Section => ({
  entity,
  modelVersion: 1,
  body: encodeCanonical([names, ops]),
})

/** A valid change of a wild entity. Its effect counts, unless the session is forked. */
export function wildSection(random: SimRandom): Section {
  const text = `wild ${random.below(1000)}`
  const key = random.pick(KEYS)
  if (random.chance(0.4)) return section(wildKeys[0], [['total', 1 + random.below(9)]])
  const op = random.pick<Value>([
    ['title', [0, text, []]],
    ['tags', [1, key]],
    ['tags', [2, key, []]],
    ['cells', [3, key, [0, text, []]]],
    ['sums', [3, key, 1 + random.below(9)]],
  ])
  return section(wildKeys[1], [op])
}

/** What nobody may ever see on an entity of the campaign: its name among those of the commands. */
export const traceSection = (entity: EntityKey, what: string): Section =>
  section(entity, [['marks', [1, `~${what}~`]]])

/** Sections on entities of the campaign that must have no effect, each in its own way. */
export const idle: Readonly<
  Record<string, (entity: EntityKey, random: SimRandom, tips: readonly Tip[]) => Section[]>
> = {
  // The ops before the one that breaks a rule have no effect either.
  void: (entity, random) => [
    section(entity, [
      ['marks', [1, '~void~']],
      random.pick<Value>([['marks', [7, 'x', []]], ['marks', [2, 'x', [3]]], ['x'], true]),
    ]),
  ],
  bytes: (entity, random) => [{ entity, modelVersion: 1, body: random.bytes(40) }],
  newer: (entity) => [{ ...traceSection(entity, 'newer'), modelVersion: 2 }],
  older: (entity) => [{ ...traceSection(entity, 'older'), modelVersion: 0 }],
  critical: (entity) => [{ ...traceSection(entity, 'critical'), extensions: [[2, 'x']] }],
  // The first one changes nothing; the second one is void.
  second: (entity) => [
    section(entity, [['marks', [2, 'nobody', []]]]),
    traceSection(entity, 'second'),
  ],
  controls: (entity) => [traceSection(`${entity}\u0000` as EntityKey, 'controls')],
  early: (entity, random, tips) => [early(entity, random, tips)],
}

/** Takes back what others are about to write, and what they have written: the names are right but for the part of the ids. */
function early(entity: EntityKey, random: SimRandom, tips: readonly Tip[]): Section {
  const some = random.shuffle(tips).slice(0, 4)
  const names = some.flatMap(({ session, seq }) =>
    [-2, -1, 0, 1, 2]
      .map((more) => seq + more)
      .filter((each) => each > 0)
      .map((each) => [fromHex(session), each, random.bytes(8)]),
  )
  const refs = names.map((_, ref) => ref)
  const marks = Array.from({ length: 200 }, (_, id) => ['marks', [2, `~w${id}~`, refs]])
  const ofBoard = entity.startsWith('board')
    ? KEYS.flatMap((key) => [
        ['tags', [2, key, refs]],
        ['cells', [4, key, refs]],
        ['sums', [4, key, refs]],
      ])
    : []
  return section(entity, [...marks, ...ofBoard], names.flat())
}

/** Bodies for wild entities at the bounds of what is valid. Honest devices must agree also on what they do not show. */
export function oddSection(random: SimRandom): Section {
  const [tally, board] = wildKeys
  return random.pick([
    section(tally, [['total', Number.MAX_SAFE_INTEGER]]),
    section(tally, [
      ['total', -1],
      ['total', Number.MIN_SAFE_INTEGER],
    ]),
    section(board, [['nobody declares it', [1, 'x']]]),
    // The entity declares a counter there, so this op has no effect, and the entity is incomplete.
    section(tally, [['total', [0, 'x', []]]]),
    section(board, [['cells', [3, '__proto__', [0, null, []]]]]),
    section(board, [['tags', [1, '\u202e\u0000']]]),
    {
      ...section(board, [['title', [0, 'odd', []]]]),
      extensions: [
        [1, null],
        [3, [[[[]]]]],
      ],
    },
  ])
}
