import { readFileSync, writeFileSync } from 'node:fs'

import {
  counter,
  encodeCanonical,
  map,
  record,
  register,
  set,
  toHex,
  type Body,
  type DeviceId,
  type Json,
  type SessionId,
  type Shape,
  type Value,
} from '@peerplane/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { commitsToValue, NamedCommit } from './commits.ts'
import { nativeModel } from './native-model.ts'

/*
 * Which op supersedes which: docs/state-vectors.json holds bodies of concurrent commits, and the state that they make in every order. With
 * UPDATE_VECTORS=1 the test writes the file again; a change of it is a change of the protocol.
 */

const docs = new URL('../../../../docs/', import.meta.url)
const file = new URL('state-vectors.json', docs)
const { stateOf } = (await import(new URL('protocol-decoder.mjs', docs).href)) as {
  stateOf: (kind: string, bodies: readonly unknown[]) => Json
}

const device = '0d'.repeat(32) as DeviceId
const session = (name: string): SessionId =>
  toHex(new Uint8Array(16).fill(parseInt(name, 16))) as SessionId

/** A body: its session, its seq, the milliseconds of its time, the commits that it names, its ops. `a2` is the second commit of session a; `a2?` has another prefix. */
type Written = readonly [by: string, seq: number, ms: number, names: string, ops: readonly Value[]]

interface Case {
  readonly what: string
  readonly kind: string
  readonly shape: Shape
  readonly bodies: readonly Written[]
  readonly state: Json
}

const cases: readonly Case[] = [
  {
    what: 'of two concurrent writes, the later one is shown',
    kind: 'register',
    shape: register(''),
    bodies: [
      ['a', 1, 2, '', [[0, 'late', []]]],
      ['b', 1, 1, '', [[0, 'early', []]]],
    ],
    state: 'late',
  },
  {
    what: 'a write that names another supersedes it, whatever the clocks say',
    kind: 'register',
    shape: register(''),
    bodies: [
      ['a', 1, 2, '', [[0, 'before', []]]],
      ['b', 1, 1, 'a1', [[0, 'after', [0]]]],
    ],
    state: 'after',
  },
  {
    what: 'a write supersedes the earlier one of its session, so that it need not be named',
    kind: 'register',
    shape: register(''),
    bodies: [
      [
        'a',
        1,
        9,
        '',
        [
          [0, 'one', []],
          [0, 'two', []],
        ],
      ],
      ['a', 2, 1, '', [[0, 'three', []]]],
      ['b', 1, 2, 'a2', [[0, 'four', [0]]]],
    ],
    state: 'four',
  },
  {
    what: 'an addition wins against a deletion that has not seen it',
    kind: 'set',
    shape: set(),
    bodies: [
      ['a', 1, 1, '', [[1, 'x', []]]],
      ['a', 2, 2, '', [[2, 'x', []]]],
      ['b', 1, 1, '', [[1, 'x', []]]],
    ],
    state: ['x'],
  },
  {
    what: 'a deletion takes back what it names, and what its own session has added',
    kind: 'set',
    shape: set(),
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [1, 'x', []],
          [1, 'y', []],
        ],
      ],
      [
        'b',
        1,
        1,
        'a1',
        [
          [1, 'x', []],
          [2, 'x', [0]],
        ],
      ],
    ],
    state: ['y'],
  },
  {
    what: 'increments add up; a removal takes back what a session has added up to the commit that it names, and what its own session has added',
    kind: 'map of counters',
    shape: map(counter()),
    bodies: [
      ['a', 1, 1, '', [[3, 'k', 5]]],
      [
        'b',
        1,
        1,
        'a2',
        [
          [3, 'k', 1],
          [4, 'k', [0]],
        ],
      ],
      ['a', 2, 2, '', [[3, 'k', 3]]],
      ['a', 3, 3, '', [[3, 'k', 2]]],
    ],
    state: { k: 2 },
  },
  {
    what: 'a write is not superseded by a body that names its place with another prefix',
    kind: 'register',
    shape: register(''),
    bodies: [
      ['a', 1, 2, '', [[0, 'kept', []]]],
      ['b', 1, 1, 'a1?', [[0, 'too early', [0]]]],
    ],
    state: 'kept',
  },
  {
    what: 'nor is an addition, but the one whose prefix is right is, also where it comes later',
    kind: 'set',
    shape: set(),
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [1, 'x', []],
          [1, 'y', []],
        ],
      ],
      [
        'b',
        1,
        1,
        'a1? a1',
        [
          [2, 'x', [0]],
          [2, 'y', [1]],
        ],
      ],
    ],
    state: ['x'],
  },
  {
    what: 'a removal takes back nothing of a session that has another commit at the place that it names',
    kind: 'map of counters',
    shape: map(counter()),
    bodies: [
      ['a', 1, 1, '', [[3, 'k', 5]]],
      ['a', 2, 2, '', [[3, 'k', 2]]],
      ['b', 1, 1, 'a2? a3', [[4, 'k', [0, 1]]]],
    ],
    state: { k: 7 },
  },
  {
    what: 'a body that names its own session has no effect',
    kind: 'register',
    shape: register(''),
    bodies: [
      ['a', 1, 1, '', [[0, 'one', []]]],
      ['a', 2, 2, 'a1', [[0, 'two', [0]]]],
    ],
    state: 'one',
  },
  {
    what: 'a counter is the sum of what all sessions have added',
    kind: 'counter',
    shape: counter(),
    bodies: [
      ['a', 1, 1, '', [5, -7]],
      ['a', 2, 1, '', [1]],
      ['b', 1, 1, '', [40]],
    ],
    state: 39,
  },
  {
    what: 'a set shows numbers in ascending order, then texts in the order of their bytes',
    kind: 'set',
    shape: set(),
    bodies: [
      ['a', 1, 1, '', ['\u{10000}', '\uffff', 10, 9.5, '10', -1].map((each) => [1, each, []])],
    ],
    state: [-1, 9.5, 10, '10', '\uffff', '\u{10000}'],
  },
  {
    what: 'the key of an empty set does not exist',
    kind: 'map of sets',
    shape: map(set()),
    bodies: [
      ['a', 1, 1, '', ['k', 'l'].map((key) => [3, key, [1, 'x', []]])],
      ['b', 1, 1, 'a1', [[3, 'k', [2, 'x', [0]]]]],
    ],
    state: { l: ['x'] },
  },
  {
    what: 'the key of a counter at 0 exists until it is removed',
    kind: 'map of counters',
    shape: map(counter()),
    bodies: [
      ['a', 1, 1, '', ['k', 'l'].flatMap((key) => [1, -1].map((by) => [3, key, by]))],
      ['b', 1, 1, 'a1', [[4, 'l', [0]]]],
    ],
    state: { k: 0 },
  },
  {
    what: 'a record shows all its fields, and ignores ops on others',
    kind: 'record of title register, votes counter, tags set',
    shape: record({ title: register(''), votes: counter(), tags: set() }),
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          ['title', [0, 'lunch', []]],
          ['color', [9]],
          ['tags', [1, 'x', []]],
        ],
      ],
      ['b', 1, 2, 'a1', [['title', [0, 'dinner', [0]]]]],
    ],
    state: { title: 'dinner', votes: 0, tags: ['x'] },
  },
  {
    what: 'a body with one op of a wrong form has no effect at all',
    kind: 'set',
    shape: set(),
    bodies: [
      ['a', 1, 1, '', [[1, 'x', []]]],
      [
        'b',
        1,
        1,
        'a1',
        [
          [2, 'x', [0]],
          [1, 'y', []],
          [5, 'z', []],
        ],
      ],
    ],
    state: ['x'],
  },
]

const bodyOf = ([by, seq, ms, names, ops]: Written): Body => ({
  origin: { device, session: session(by), seq, time: { ms, counter: 0 } },
  prefix: prefixOf(by, seq),
  bytes: encodeCanonical([commitsToValue(commitsOf(names)), [...ops]]),
})

const prefixOf = (by: string, seq: number): string => `${by}${seq}`.repeat(8)

const commitsOf = (names: string): NamedCommit[] =>
  names
    .split(' ')
    .filter((name) => name !== '')
    .map(([by, seq, isOther]) => {
      const prefix = isOther ? 'ff'.repeat(8) : prefixOf(by!, Number(seq))
      return new NamedCommit(session(by!), Number(seq), prefix)
    })

/** All orders in which each session's bodies stay in their own. */
function orders(bodies: readonly Body[]): readonly Body[][] {
  if (bodies.length === 0) return [[]]
  const first = bodies.filter(({ origin }) =>
    bodies.every(({ origin: { session, seq } }) => session !== origin.session || seq >= origin.seq),
  )
  return first.flatMap((body) =>
    orders(bodies.filter((each) => each !== body)).map((rest) => [body, ...rest]),
  )
}

test.each(cases)('$kind: $what', async ({ shape, bodies, state }) => {
  for (const order of orders(bodies.map(bodyOf))) {
    const folded = await nativeModel(shape).open(undefined)
    for (const body of order) folded.fold([body])
    expect(folded.mirror).toEqual(state)
  }
})

const vectorOf = ({ origin: { session: by, seq, time }, prefix, bytes }: Body): object => ({
  session: by,
  seq,
  time: [time.ms, time.counter],
  prefix,
  body: toHex(bytes),
})

const refs = fc.uniqueArray(fc.nat(5), { maxLength: 3 })
const element = fc.constantFrom('x', 'y')
const ops = {
  register: fc.tuple(fc.constant(0), fc.string({ maxLength: 2 }), refs),
  set: fc.tuple(fc.constantFrom(1, 2), element, refs),
  counter: fc.integer({ min: -9, max: 9 }),
}
const inMap = (op: fc.Arbitrary<Value>, observed: fc.Arbitrary<Value>): fc.Arbitrary<Value> =>
  fc.oneof(fc.tuple(fc.constant(3), element, op), fc.tuple(fc.constant(4), element, observed))
const random: readonly [string, Shape, fc.Arbitrary<Value>][] = [
  ['register', register(''), ops.register],
  ['set', set(), ops.set],
  ['counter', counter(), ops.counter],
  ['map of registers', map(register('')), inMap(ops.register, refs)],
  ['map of counters', map(counter()), inMap(ops.counter, refs)],
  ['map of sets', map(set()), inMap(ops.set, fc.tuple(element, refs))],
]
test.each(random)(
  'bodies that are folded in any order give the state that the definition gives: %s',
  async (kind, shape, op) => {
    const named = fc.tuple(
      fc.constantFrom('a', 'b', 'c'),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(3),
    )
    const written = fc.record({
      by: fc.constantFrom('a', 'b', 'c'),
      ms: fc.nat(4),
      names: fc.array(named, { minLength: 6, maxLength: 6 }),
      ops: fc.array(op, { minLength: 1, maxLength: 3 }),
    })
    const choices = fc.infiniteStream(fc.nat())
    await fc.assert(
      fc.asyncProperty(fc.array(written, { maxLength: 10 }), choices, async (list, choice) => {
        const bodies = list.map(({ by, ms, names, ops: made }, i) => {
          const seq = list.slice(0, i + 1).filter((each) => each.by === by).length
          // One in four prefixes is wrong; a body never names its own session.
          const others = names.map(([other, at, luck]) => {
            const another = other === by ? 'd' : other
            return `${another}${at}${luck === 0 ? '?' : ''}`
          })
          return bodyOf([by, seq, ms, others.join(' '), made])
        })
        const state = await nativeModel(shape).open(undefined)
        const left = [...bodies]
        while (left.length > 0) {
          const first = left.filter((body, i) =>
            left.slice(0, i).every(({ origin }) => origin.session !== body.origin.session),
          )
          const next = first[choice.next().value! % first.length]!
          left.splice(left.indexOf(next), 1)
          expect(state.fold([next])).toEqual([])
        }
        expect(state.mirror).toEqual(stateOf(kind, bodies.map(vectorOf)))
      }),
      { numRuns: 100 },
    )
  },
)

test('the vectors of states are what they were', () => {
  const computed = cases.map(({ what, kind, bodies, state }) => ({
    what,
    kind,
    bodies: bodies.map(bodyOf).map(vectorOf),
    state,
  }))
  const text = JSON.stringify(computed, null, 2) + '\n'
  if (process.env['UPDATE_VECTORS']) writeFileSync(file, text)
  expect(text).toBe(readFileSync(file, 'utf8'))
})
