import { readFileSync, writeFileSync } from 'node:fs'

import {
  encodeCanonical,
  entityKey,
  events,
  hash,
  toHex,
  utf8,
  value,
  type Body,
  type DeviceId,
  type EntityState,
  type HandleOf,
  type Json,
  type SessionId,
  type StateModel,
  type Value,
} from '@peerplane/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { commitsToValue, NamedCommit } from '../kernels/commits.ts'
import { eventsModel, valueModel } from './writer-model.ts'

/*
 * docs/writer-vectors.json holds bodies of entities with a single writer, and the branches that they make in every order. The one event that is
 * declared, `added`, appends what it holds to a list. With UPDATE_VECTORS=1 the test writes the file again; a change of it is a change of the protocol.
 */

const docs = new URL('../../../../docs/', import.meta.url)
const file = new URL('writer-vectors.json', docs)

interface WrittenBody {
  readonly device: string
  readonly session: string
  readonly seq: number
  readonly prefix: string
  readonly body: string
}
interface Shown {
  readonly branches: readonly { session: string; number: number; value: Json }[]
  readonly incomplete: boolean
  readonly exists: boolean
}
const { writerStateOf } = (await import(new URL('protocol-decoder.mjs', docs).href)) as {
  writerStateOf: (kind: string, initial: Json, id: string, bodies: readonly WrittenBody[]) => Shown
}

const models: Readonly<Record<Kind, StateModel>> = {
  events: eventsModel(events([] as Json[], { added: (list, each: Json) => [...list, each] })),
  value: valueModel(value<Json>([])),
}
type Kind = 'events' | 'value'

/** Session `a2` is the second one of device `a`. `a2.3` is its third commit; `a2.3?` has another prefix. */
type Written = readonly [by: string, seq: number, body: readonly Value[] | Begun | Deletion]

/** A beginning; `names` are commits as in {@link Written}. */
interface Begun {
  readonly names?: string
  readonly rank: number
  readonly number?: number
  readonly value?: Value
  readonly events?: readonly Value[]
  readonly generation?: number
}

/** A deletion of the entity, which names commits as in {@link Written}, or closes the generation. */
interface Deletion {
  readonly deletes: string | null
  readonly generation?: number
}

interface Case {
  readonly what: string
  readonly kind: Kind
  readonly id?: string
  readonly bodies: readonly Written[]
  /** Sessions, numbers and values. */
  readonly branches: readonly (readonly [session: string, number: number, value: Json])[]
  readonly incomplete?: boolean
  readonly exists?: boolean
}

const deviceOf = (by: string): DeviceId => by[0]!.charCodeAt(0).toString(16).repeat(32) as DeviceId
const sessionOf = (by: string): SessionId =>
  toHex(hash('vector-session', utf8(by)).slice(0, 16)) as SessionId
const prefixOf = (by: string, seq: number): string =>
  toHex(hash('vector-commit', utf8(`${by}.${seq}`)).slice(0, 8))

const added = (...list: Value[]): Value[] => list.flatMap((each) => ['added', each])

const cases: readonly Case[] = [
  {
    what: 'a session begins with a value, and adds events to it',
    kind: 'events',
    bodies: [
      ['a1', 1, { rank: 5, value: ['x'], number: 1, events: added('y') }],
      ['a1', 2, [1, added('z', { n: 1.5 })]],
    ],
    branches: [['a1', 4, ['x', 'y', 'z', { n: 1.5 }]]],
  },
  {
    what: 'events and values hold bytes',
    kind: 'events',
    bodies: [
      ['a1', 1, { rank: 5, value: [Uint8Array.of(0, 255)], events: added(Uint8Array.of(1)) }],
    ],
    branches: [['a1', 1, [{ $bytes: 'AP8' }, { $bytes: 'AQ' }]]],
  },
  {
    what: 'a value replaces the value before it',
    kind: 'value',
    bodies: [
      ['a1', 1, { rank: 5, value: 'x', number: 1 }],
      ['a1', 3, [2, null]],
      ['a1', 4, [2, { b: [true], a: -1 }]],
    ],
    branches: [['a1', 3, { b: [true], a: -1 }]],
  },
  {
    what: 'a later session continues an earlier one, which ends',
    kind: 'events',
    bodies: [
      ['a1', 1, { rank: 5, events: added('x') }],
      ['a2', 1, { names: 'a1.1', rank: 7, value: ['x'], number: 1, events: added('y') }],
    ],
    branches: [['a2', 2, ['x', 'y']]],
  },
  {
    what: 'two sessions that continue from the same point are two branches, and the one with the larger rank is shown',
    kind: 'events',
    bodies: [
      ['a1', 1, { rank: 5, events: added('x') }],
      ['a1', 2, [1, added('lost')]],
      ['a2', 1, { names: 'a1.1', rank: 9, value: ['x'], number: 1, events: added('new') }],
    ],
    branches: [
      ['a2', 2, ['x', 'new']],
      ['a1', 2, ['x', 'lost']],
    ],
  },
  {
    what: 'a session that chooses ends all branches that it lists, also its own one',
    kind: 'events',
    bodies: [
      ['a1', 1, { rank: 5, events: added('x') }],
      ['a2', 1, { rank: 9, events: added('new') }],
      ['b1', 1, { rank: 2, events: added('other') }],
      ['a1', 2, { names: 'a2.1 b1.1', rank: 10, value: ['new'], number: 1 }],
      ['a1', 3, [1, added('more')]],
    ],
    branches: [['a1', 2, ['new', 'more']]],
  },
  {
    what: 'a branch goes on if the session that ends it has not listed its last commit',
    kind: 'events',
    bodies: [
      ['a1', 1, { rank: 5, events: added('x') }],
      ['b1', 1, { names: 'a1.1', rank: 7, value: ['x'], number: 1, events: added('y') }],
      ['a1', 2, [1, added('z')]],
    ],
    branches: [
      ['b1', 2, ['x', 'y']],
      ['a1', 2, ['x', 'z']],
    ],
  },
  {
    what: 'a listed commit with another prefix, or after the last one, ends nothing',
    kind: 'value',
    bodies: [
      ['a1', 1, { rank: 5, value: 'kept', number: 1 }],
      ['b1', 1, { names: 'a1.1?', rank: 4, value: 'b', number: 1 }],
      ['c1', 1, { names: 'a1.2', rank: 3, value: 'c', number: 1 }],
    ],
    branches: [
      ['a1', 1, 'kept'],
      ['b1', 1, 'b'],
      ['c1', 1, 'c'],
    ],
  },
  {
    what: 'only the last beginning of a session ends others',
    kind: 'value',
    bodies: [
      ['a1', 1, { rank: 5, value: 'a', number: 1 }],
      ['b1', 1, { names: 'a1.1', rank: 6, value: 'b', number: 2 }],
      ['b1', 2, { rank: 7, value: 'again', number: 3 }],
    ],
    branches: [
      ['b1', 3, 'again'],
      ['a1', 1, 'a'],
    ],
  },
  {
    what: 'sessions that end each other are branches, because there are no others',
    kind: 'value',
    bodies: [
      ['a1', 1, { names: 'b1.1', rank: 5, value: 'a', number: 1 }],
      ['b1', 1, { names: 'a1.1', rank: 6, value: 'b', number: 1 }],
    ],
    branches: [
      ['b1', 1, 'b'],
      ['a1', 1, 'a'],
    ],
  },
  {
    what: 'of equal ranks, the session with the greater id is shown',
    kind: 'value',
    bodies: [
      ['a1', 1, { rank: 5, value: 'a', number: 1 }],
      ['b1', 1, { rank: 5, value: 'b', number: 1 }],
    ],
    branches: ['a1', 'b1']
      .sort((one, two) => (sessionOf(one) < sessionOf(two) ? 1 : -1))
      .map((by) => [by, 1, by[0]!] as const),
  },
  {
    what: 'of one device, the 8 strands with the largest ranks are kept; what a session adds to another one has no effect',
    kind: 'events',
    bodies: [
      ...Array.from({ length: 9 }, (_, i): Written => [
        `a${i}`,
        1,
        { rank: 9 - i, value: [i], number: 1 },
      ]),
      ['a8', 2, [1, added('too late')]],
      ['a0', 2, [1, added('kept')]],
      ['b1', 1, { rank: 0, value: ['b'], number: 1 }],
    ],
    branches: [
      ['a0', 2, [0, 'kept']],
      ...Array.from({ length: 7 }, (_, i) => [`a${i + 1}`, 1, [i + 1]] as const),
      ['b1', 1, ['b']],
    ],
  },
  {
    what: 'a session that begins again keeps its largest rank',
    kind: 'value',
    bodies: [
      ['a1', 1, { rank: 9, value: 'first', number: 1 }],
      ['a1', 2, { rank: 1, value: 'again', number: 2 }],
      ['b1', 1, { rank: 5, value: 'b', number: 1 }],
    ],
    branches: [
      ['a1', 2, 'again'],
      ['b1', 1, 'b'],
    ],
  },
  {
    what: 'a session that has not begun adds nothing',
    kind: 'events',
    bodies: [
      ['a1', 1, [1, added('x')]],
      ['a1', 2, { rank: 1, events: added('y') }],
    ],
    branches: [['a1', 1, ['y']]],
  },
  {
    what: 'if the id of an entity names a device, bodies of other devices are void',
    kind: 'value',
    id: `${deviceOf('a')}/theme`,
    bodies: [
      ['a1', 1, { rank: 1, value: 'own', number: 1 }],
      ['b1', 1, { names: 'a1.1', rank: 9, value: 'foreign', number: 2 }],
    ],
    branches: [['a1', 1, 'own']],
  },
  {
    what: 'an id that only contains a device, or names it in capitals, names nobody',
    kind: 'value',
    id: `${deviceOf('j').toUpperCase()}/${deviceOf('a')}`,
    bodies: [['b1', 1, { rank: 9, value: 'shown', number: 1 }]],
    branches: [['b1', 1, 'shown']],
  },
  {
    what: 'an event that is not declared has no effect, but counts, and makes the entity incomplete',
    kind: 'events',
    bodies: [['a1', 1, { rank: 1, events: [...added('x'), 'renamed', 'y', ...added('z')] }]],
    branches: [['a1', 3, ['x', 'z']]],
    incomplete: true,
  },
  {
    what: 'a body of another kind has no effect, and makes the entity incomplete',
    kind: 'events',
    bodies: [
      ['a1', 1, { rank: 1, events: added('x') }],
      ['a1', 2, [2, ['value']]],
      ['b1', 1, [[], [1]]],
      ['c1', 1, [new Uint8Array(2), { x: 7 }, new Uint8Array(9)]],
    ],
    branches: [['a1', 1, ['x']]],
    incomplete: true,
  },
  {
    what: 'a body of another kind begins a generation like any other body',
    kind: 'events',
    bodies: [
      ['a1', 1, { rank: 1, events: added('x') }],
      ['b1', 1, [[], [1], 1]],
      ['c1', 1, [new Uint8Array(2), 1]],
    ],
    branches: [],
    incomplete: true,
  },
  {
    what: 'a deletion that names all touches ends the entity, which has no branches then',
    kind: 'value',
    bodies: [
      ['a1', 1, { rank: 1, value: 'x', number: 1 }],
      ['b1', 1, { deletes: 'a1.1' }],
    ],
    branches: [],
    exists: false,
  },
  {
    what: 'a change that a deletion does not name keeps the entity, with all that was written before',
    kind: 'events',
    bodies: [
      ['a1', 1, { rank: 1, events: added('x') }],
      ['b1', 1, { deletes: 'a1.1' }],
      ['a1', 2, [1, added('y')]],
    ],
    branches: [['a1', 2, ['x', 'y']]],
  },
  {
    what: 'a deletion of its own session, and one that closes the generation, end the entity',
    kind: 'value',
    bodies: [
      ['a1', 1, { rank: 1, value: 'x', number: 1 }],
      ['a1', 2, { deletes: '' }],
      ['b1', 1, { rank: 2, value: 'y', number: 1 }],
      ['b1', 2, { deletes: null }],
    ],
    branches: [],
    exists: false,
  },
  {
    what: 'the next generation begins without strands: an event of it that has no beginning has no effect, but keeps the entity',
    kind: 'events',
    bodies: [
      ['a1', 1, { rank: 5, events: added('x') }],
      ['a1', 2, [1, added('lost'), 1]],
    ],
    branches: [],
  },
  {
    what: 'changes of a generation that is closed, or before the largest, have no effect',
    kind: 'events',
    bodies: [
      ['a1', 1, { rank: 9, events: added('old') }],
      ['a1', 2, { deletes: null }],
      ['a1', 3, { rank: 2, events: added('new'), generation: 1 }],
      ['a1', 4, [1, added('more'), 1]],
      ['b1', 1, { rank: 10, events: added('late') }],
    ],
    branches: [['a1', 2, ['new', 'more']]],
  },
  {
    what: 'a value of another generation is its own',
    kind: 'value',
    bodies: [
      ['a1', 1, { rank: 9, value: 'old', number: 7 }],
      ['b1', 1, { rank: 1, value: 'new', number: 1, generation: 2 }],
      ['b1', 2, [2, 'newer', 2]],
    ],
    branches: [['b1', 2, 'newer']],
  },
  {
    what: 'if the id of an entity names a device, deletions of other devices are void',
    kind: 'value',
    id: deviceOf('a'),
    bodies: [
      ['a1', 1, { rank: 1, value: 'own', number: 1 }],
      ['b1', 1, { deletes: 'a1.1' }],
      ['c1', 1, { deletes: null }],
    ],
    branches: [['a1', 1, 'own']],
  },
  {
    what: 'a body that is void does not keep the entity',
    kind: 'events',
    bodies: [
      ['a1', 1, { rank: 1, events: added('x') }],
      ['b1', 1, { deletes: 'a1.1' }],
      ['c1', 1, [1, ['added']]],
    ],
    branches: [],
    exists: false,
  },
  {
    what: 'events have no effect on a value, and count only at a beginning',
    kind: 'value',
    bodies: [
      ['a1', 1, { rank: 1, value: 'x', number: 1, events: added('y') }],
      ['a1', 2, [1, added('z')]],
    ],
    branches: [['a1', 2, 'x']],
    incomplete: true,
  },
  ...(
    [
      ['no events', [1, []]],
      ['an event without a value', [1, ['added']]],
      ['an event without a name', [1, ['', 1]]],
      ['a name that is a number', [1, [1, 1]]],
      ['a name of 257 bytes', [1, ['ä'.repeat(128) + 'x', 1]]],
      ['the generation 0', [1, added(1), 0]],
      ['four items with form 1', [1, added(1), 1, 1]],
      ['the generation 0 of a document', [new Uint8Array(1), 0]],
      ['a deletion and an op', [[], [[6, null], 1]]],
      ['a deletion of three items', [[], [[6, null, 1]]]],
      ['a deletion that closes the last generation', [[], [[6, null]], 2 ** 53 - 1]],
      ['ops that are no list', [[], 1]],
      ['bytes that are no byte string', [2, [{ $bytes: 'AA' }]]],
      ['five items with form 3', [3, [], 1, 0, []]],
      ['a rank below 0', [3, [], -1, 0, [], []]],
      ['a number that is a fraction', [3, [], 1, 0.5, [], []]],
      ['another form', [4, []]],
      ['its own session in the list', { names: 'b1.1', rank: 9 }],
      [
        '129 listed commits',
        { names: Array.from({ length: 129 }, () => 'a1.1').join(' '), rank: 9 },
      ],
    ] as const
  ).map(([what, body]): Case => ({
    what: `a body with ${what} is void`,
    kind: 'events',
    bodies: [
      ['a1', 1, { rank: 1, events: added('x') }],
      ['b1', 1, body as Written[2]],
    ],
    branches: [['a1', 1, ['x']]],
  })),
]

const bodyOf = ([by, seq, body]: Written): Body => {
  const fields: readonly Value[] =
    'rank' in body ? beginningOf(body) : 'deletes' in body ? deletionOf(body) : body
  return {
    origin: { device: deviceOf(by), session: sessionOf(by), seq, time: { ms: seq, counter: 0 } },
    prefix: prefixOf(by, seq),
    bytes: encodeCanonical([...fields]),
  }
}

const beginningOf = ({
  names = '',
  rank,
  number = 0,
  value: first = [],
  events: list = [],
  generation,
}: Begun): Value[] => [
  3,
  commitsToValue(commitsOf(names)),
  rank,
  number,
  first,
  [...list],
  ...(generation === undefined ? [] : [generation]),
]

function deletionOf({ deletes, generation }: Deletion): Value[] {
  const commits = commitsOf(deletes ?? '')
  const op = [6, deletes === null ? null : [...commits.keys()]]
  return [commitsToValue(commits), [op], ...(generation === undefined ? [] : [generation])]
}

const commitsOf = (names: string): NamedCommit[] => names.split(' ').filter(Boolean).map(commitOf)

function commitOf(name: string): NamedCommit {
  const [by, at] = name.split('.') as [string, string]
  const seq = parseInt(at)
  return new NamedCommit(sessionOf(by), seq, at.endsWith('?') ? 'ff'.repeat(8) : prefixOf(by, seq))
}

/** Orders in which each session's bodies stay in their own. */
function* orders(bodies: readonly Body[]): Generator<Body[]> {
  if (bodies.length === 0) yield []
  for (const body of bodies) {
    const { session, seq } = body.origin
    const isFirst = bodies.every(
      (each) => each.origin.session !== session || each.origin.seq >= seq,
    )
    if (!isFirst) continue
    for (const rest of orders(bodies.filter((each) => each !== body))) yield [body, ...rest]
  }
}

/** All orders of a few bodies; of many bodies, those that differ at the end, and those that differ there in reverse. */
const someOrders = (bodies: readonly Body[]): readonly Body[][] =>
  [bodies, bodies.toReversed()].flatMap((each) => [...take(orders(each), 200)])

function* take<T>(from: Iterable<T>, most: number): Generator<T> {
  let taken = 0
  for (const each of from) {
    if (taken++ >= most) return
    yield each
  }
}

function shownBy(state: EntityState): Shown {
  const draft = state.begin({
    device: deviceOf('z'),
    session: sessionOf('z1'),
    seq: 1,
    time: { ms: 0, counter: 0 },
  })
  const { branches } = draft.handle as HandleOf<ReturnType<typeof value<Json>>>
  draft.revert()
  const { exists } = state
  return {
    exists,
    branches: branches.map(({ key, number, value: shown }) => ({
      session: key,
      number,
      value: shown,
    })),
    incomplete: state.skipped !== undefined,
  }
}

const open = (kind: Kind, id = 'x'): Promise<EntityState> =>
  models[kind].open(undefined, entityKey(kind, id))

const expectedOf = ({ branches, incomplete = false, exists = true }: Case): Shown => ({
  branches: branches.map(([by, number, shown]) => ({
    session: sessionOf(by),
    number,
    value: shown,
  })),
  incomplete,
  exists,
})

test.each(cases)('$kind: $what', async (each) => {
  for (const order of someOrders(each.bodies.map(bodyOf))) {
    const state = await open(each.kind, each.id)
    for (const body of order) state.fold([body])
    expect(shownBy(state)).toEqual(expectedOf(each))
  }
})

const writtenOf = ({ origin: { device, session, seq }, prefix, bytes }: Body): WrittenBody => ({
  device,
  session,
  seq,
  prefix,
  body: toHex(bytes),
})

const anyName = fc
  .tuple(
    fc.constantFrom('a', 'b', 'c'),
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 3 }),
    fc.nat(5),
  )
  .map(([by, session, seq, luck]) => `${by}${session}.${seq}${luck === 0 ? '?' : ''}`)
const anyEvents = fc.array(fc.constantFrom('added', 'added', 'unknown'), { maxLength: 3 })
const anyGeneration = fc.constantFrom(undefined, undefined, undefined, 1, 2)
const inAny = (body: fc.Arbitrary<Value[]>): fc.Arbitrary<Value[]> =>
  fc
    .tuple(body, anyGeneration)
    .map(([fields, generation]) => (generation === undefined ? fields : [...fields, generation]))
const anyBody = fc.oneof<fc.Arbitrary<Written[2]>[]>(
  inAny(anyEvents.map((names) => [1, names.flatMap((name, i) => [name, i])])),
  inAny(fc.nat(3).map((n) => [2, [n]])),
  fc
    .tuple(fc.option(fc.array(anyName, { maxLength: 3 }), { freq: 4 }), anyGeneration)
    .map(([names, generation]) => ({
      deletes: names && names.join(' '),
      ...(generation === undefined ? {} : { generation }),
    })),
  fc.record({
    names: fc.array(anyName, { maxLength: 4 }).map((names) => names.join(' ')),
    rank: fc.nat(6),
    number: fc.nat(3),
    value: fc.constantFrom<Value>([], ['x'], ['y', 'z']),
    events: anyEvents.map((names) => names.flatMap((name, i) => [name, i])),
    generation: anyGeneration as fc.Arbitrary<number>,
  }),
  fc.constantFrom<Written[2]>(
    [[], [1]],
    [[], [[4, 'x', []]]],
    [new Uint8Array(1)],
    [1, ['added']],
    [3, [], 1],
    [9, 9],
  ),
)

test.each<Kind>(['events', 'value'])(
  '%s: bodies that are folded in any order give the branches that the definition gives',
  async (kind) => {
    const anyBodies = fc.array(
      fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 4 }), anyBody),
      { maxLength: 14 },
    )
    await fc.assert(
      fc.asyncProperty(anyBodies, fc.infiniteStream(fc.nat()), async (list, choices) => {
        const bodies = list.map(([device, session, body], i) => {
          const by = `${device}${session}`
          const seq = list.slice(0, i + 1).filter((each) => `${each[0]}${each[1]}` === by).length
          return bodyOf([by, seq, body])
        })
        const state = await open(kind)
        const left = [...bodies]
        while (left.length > 0) {
          const first = left.filter((body, i) =>
            left.slice(0, i).every(({ origin }) => origin.session !== body.origin.session),
          )
          const next = first[choices.next().value! % first.length]!
          left.splice(left.indexOf(next), 1)
          state.fold([next])
        }
        expect(shownBy(state)).toEqual(writerStateOf(kind, [], 'x', bodies.map(writtenOf)))
      }),
      { numRuns: 600 },
    )
  },
)

test('the vectors of entities with a single writer are what they were', () => {
  const computed = cases.map((each) => ({
    what: each.what,
    kind: each.kind,
    initial: [],
    id: each.id ?? 'x',
    bodies: each.bodies.map(bodyOf).map(writtenOf),
    ...expectedOf(each),
  }))
  const text = JSON.stringify(computed, null, 2) + '\n'
  if (process.env['UPDATE_VECTORS']) writeFileSync(file, text)
  expect(text).toBe(readFileSync(file, 'utf8'))
})
