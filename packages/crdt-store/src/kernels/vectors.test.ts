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
  stateOf: (shape: Shape, bodies: readonly unknown[]) => { state: Json; incomplete: boolean }
}

const device = '0d'.repeat(32) as DeviceId
const session = (name: string): SessionId =>
  toHex(new Uint8Array(16).fill(parseInt(name, 16))) as SessionId

/**
 * A body: its session, its seq, the milliseconds of its time, the commits that it names, its ops. `a2` is the second commit of session a; `a2?`
 * has another prefix. In place of ops, there may be all that the body holds.
 */
type Written = readonly [
  by: string,
  seq: number,
  ms: number,
  names: string,
  ops: readonly Value[] | { readonly whole: Value },
]

interface Case {
  readonly what: string
  readonly shape: Shape
  readonly bodies: readonly Written[]
  readonly state: Json
  /** Whether an op was skipped. */
  readonly incomplete?: true
}

const shelf = map(record({ title: register('none'), votes: counter(), tags: set() }))

/** Removals of each kind of value of a map. */
const removals: readonly Case[] = [
  {
    what: 'a register shows its initial value if nobody has written to it',
    shape: record({ title: register('none'), votes: counter() }),
    bodies: [['a', 1, 1, '', [['votes', 1]]]],
    state: { title: 'none', votes: 1 },
  },
  {
    what: 'a removal of a register supersedes the writes that it names, and the write of its own session',
    shape: map(register('none')),
    bodies: [
      ['a', 1, 1, '', ['k', 'l'].map((key) => [3, key, [0, 'a', []]])],
      [
        'b',
        1,
        2,
        'a1',
        [
          [3, 'k', [0, 'b', []]],
          [3, 'm', [0, 'b', []]],
          [4, 'k', [0]],
          [4, 'm', []],
        ],
      ],
      ['c', 1, 1, '', [[3, 'k', [0, 'c', []]]]],
    ],
    state: { k: 'c', l: 'a' },
  },
  {
    what: 'a removal of a set deletes the additions of the elements that it lists; what only its own session has added is listed without names',
    shape: map(set<string | number>()),
    bodies: [
      ['a', 1, 1, '', ['x', 'y', 7].map((each) => [3, 'k', [1, each, []]])],
      [
        'b',
        1,
        1,
        'a1',
        [
          [3, 'k', [1, 'z', []]],
          [3, 'k', [1, 'w', []]],
          [4, 'k', ['x', [0], 7, [0], 'z', []]],
        ],
      ],
      ['c', 1, 1, '', [[3, 'k', [1, 'x', []]]]],
    ],
    state: { k: ['w', 'x', 'y'] },
  },
  {
    what: 'a removal of a record deletes what it lists of each field; a field with an addition that was not seen keeps the key',
    shape: shelf,
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [3, 'k', ['title', [0, 'lunch', []]]],
          [3, 'k', ['votes', 2]],
          [3, 'k', ['tags', [1, 'x', []]]],
          [3, 'l', ['votes', 1]],
        ],
      ],
      [
        'b',
        1,
        1,
        'a1',
        [
          [4, 'k', ['title', [0], 'votes', [0], 'tags', ['x', [0]]]],
          [4, 'l', ['votes', [0]]],
        ],
      ],
      ['c', 1, 1, '', [[3, 'k', ['votes', 5]]]],
    ],
    state: { k: { title: 'none', votes: 5, tags: [] } },
  },
  {
    what: 'a removal of a record does not affect fields that it does not list, and ignores fields that are not declared',
    shape: shelf,
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [3, 'k', ['title', [0, 'lunch', []]]],
          [3, 'k', ['votes', 2]],
        ],
      ],
      ['b', 1, 1, 'a1', [[4, 'k', ['color', [9], 'votes', [0]]]]],
    ],
    state: { k: { title: 'lunch', votes: 0, tags: [] } },
  },
  {
    what: 'a removal of a map deletes what it lists below each key',
    shape: map(map(counter())),
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [3, 'k', [3, 'x', 1]],
          [3, 'k', [3, 'y', 2]],
          [3, 'l', [3, 'x', 4]],
          [3, 'm', [3, 'x', 8]],
        ],
      ],
      [
        'b',
        1,
        1,
        'a1',
        [
          [4, 'k', ['x', [0]]],
          [4, 'l', ['x', [0]]],
          [3, 'm', [4, 'x', [0]]],
        ],
      ],
    ],
    state: { k: { y: 2 } },
  },
]

const most = Number.MAX_SAFE_INTEGER
/** 33 lists in each other, one more than a value may have. */
const tooDeep = Array.from({ length: 33 }).reduce<Value>((inner) => [inner], [])

/** Ops of other kinds, and bodies that break a rule. */
const otherKinds: readonly Case[] = [
  {
    what: 'an op of another kind is skipped, although it also breaks a rule of its own kind',
    shape: counter(),
    bodies: [
      ['a', 1, 1, '', [[0, tooDeep, []], 5, [1, 'x', [9]], ['field', 0.5], new Uint8Array(2)]],
      ['b', 1, 1, '', [1]],
    ],
    state: 6,
    incomplete: true,
  },
  {
    what: 'an op that breaks a rule outside of the place with another kind makes its body void',
    shape: map(counter()),
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [3, 'k', 5],
          [3, 7, [0, 'x', []]],
        ],
      ],
      ['b', 1, 1, '', [[3, 'k', 1]]],
    ],
    state: { k: 1 },
  },
  {
    what: 'a value in a field or below a key that is not of its kind is skipped, and other ops of the body take effect',
    shape: shelf,
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [3, 'k', ['title', 3]],
          [3, 'k', ['votes', 2]],
          [3, 'l', 1],
        ],
      ],
    ],
    state: { k: { title: 'none', votes: 2, tags: [] } },
    incomplete: true,
  },
  {
    what: 'a removal with a pair of another form is skipped as a whole; what comes after that pair is not checked',
    shape: shelf,
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [3, 'k', ['title', [0, 'lunch', []]]],
          [3, 'k', ['votes', 2]],
        ],
      ],
      ['b', 1, 1, 'a1', [[4, 'k', ['votes', [0], 'title', ['x', []], 'tags', ['x', [9]]]]]],
    ],
    state: { k: { title: 'lunch', votes: 2, tags: [] } },
    incomplete: true,
  },
  {
    what: 'a removal with a name that is not listed makes its body void, also if a pair of another form follows',
    shape: shelf,
    bodies: [
      ['a', 1, 1, '', [[3, 'k', ['votes', 2]]]],
      [
        'b',
        1,
        1,
        'a1',
        [
          [4, 'k', ['tags', ['x', [9]], 'title', ['x', []]]],
          [3, 'l', ['votes', 1]],
        ],
      ],
    ],
    state: { k: { title: 'none', votes: 2, tags: [] } },
  },
  {
    what: 'a body of another op that breaks a rule is void as a whole, and then nothing is missing',
    shape: counter(),
    bodies: [
      ['a', 1, 1, '', [[0, 'x', []], 0.5]],
      ['b', 1, 1, '', [1]],
    ],
    state: 1,
  },
  {
    what: 'a body that begins with a byte string is one op on a document, whatever follows',
    shape: register('none'),
    bodies: [
      ['a', 1, 1, '', [[0, 'kept', []]]],
      ['b', 1, 2, '', { whole: [new Uint8Array(2), [[0, 'x', []]], 7] }],
    ],
    state: 'kept',
    incomplete: true,
  },
  {
    what: 'a body of an entity with a single writer is skipped as a whole; one that only resembles it is void',
    shape: counter(),
    bodies: [
      ['a', 1, 1, '', { whole: [1, ['added', 1]] }],
      ['a', 2, 2, '', { whole: [3, [], 1, 0, 7, []] }],
      ['b', 1, 1, '', { whole: [2, 5, 5] }],
      ['b', 2, 2, '', [4]],
    ],
    state: 4,
    incomplete: true,
  },
  {
    what: 'a body is void if the total of its session is too large after one of its ops, also if it is not at the end',
    shape: counter(),
    bodies: [
      ['a', 1, 1, '', [3]],
      ['a', 2, 2, '', [most, -most, 1]],
      ['a', 3, 3, '', [4]],
    ],
    state: 7,
  },
  {
    what: 'a total includes what was removed, and each key has a total of its own',
    shape: map(counter()),
    bodies: [
      ['a', 1, 1, '', [[3, 'k', most]]],
      ['b', 1, 1, 'a1', [[4, 'k', [0]]]],
      ['a', 2, 2, '', [[3, 'k', 1]]],
      ['a', 3, 3, '', [[3, 'l', most]]],
    ],
    state: { l: most },
  },
  {
    what: 'a counter shows the nearest integer if its sum is too large',
    shape: counter(),
    bodies: [
      ['a', 1, 1, '', [most]],
      ['b', 1, 1, '', [most]],
    ],
    state: most,
  },
]

const cases: readonly Case[] = [
  {
    what: 'of two concurrent writes, the later one is shown',
    shape: register(''),
    bodies: [
      ['a', 1, 2, '', [[0, 'late', []]]],
      ['b', 1, 1, '', [[0, 'early', []]]],
    ],
    state: 'late',
  },
  {
    what: 'a write that names another supersedes it, whatever the clocks say',
    shape: register(''),
    bodies: [
      ['a', 1, 2, '', [[0, 'before', []]]],
      ['b', 1, 1, 'a1', [[0, 'after', [0]]]],
    ],
    state: 'after',
  },
  {
    what: 'a write supersedes the earlier one of its session, so that it need not be named',
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
    shape: register(''),
    bodies: [
      ['a', 1, 2, '', [[0, 'kept', []]]],
      ['b', 1, 1, 'a1?', [[0, 'too early', [0]]]],
    ],
    state: 'kept',
  },
  {
    what: 'nor is an addition, but the one whose prefix is right is, also where it comes later',
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
    shape: register(''),
    bodies: [
      ['a', 1, 1, '', [[0, 'one', []]]],
      ['a', 2, 2, 'a1', [[0, 'two', [0]]]],
    ],
    state: 'one',
  },
  {
    what: 'a counter is the sum of what all sessions have added',
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
    shape: set(),
    bodies: [
      ['a', 1, 1, '', ['\u{10000}', '\uffff', 10, 9.5, '10', -1].map((each) => [1, each, []])],
    ],
    state: [-1, 9.5, 10, '10', '\uffff', '\u{10000}'],
  },
  {
    what: 'the key of an empty set does not exist',
    shape: map(set()),
    bodies: [
      ['a', 1, 1, '', ['k', 'l'].map((key) => [3, key, [1, 'x', []]])],
      ['b', 1, 1, 'a1', [[3, 'k', [2, 'x', [0]]]]],
    ],
    state: { l: ['x'] },
  },
  {
    what: 'the key of a counter at 0 exists until it is removed',
    shape: map(counter()),
    bodies: [
      ['a', 1, 1, '', ['k', 'l'].flatMap((key) => [1, -1].map((by) => [3, key, by]))],
      ['b', 1, 1, 'a1', [[4, 'l', [0]]]],
    ],
    state: { k: 0 },
  },
  {
    what: 'a record shows all its fields, and ignores ops on others',
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
  ...removals,
  ...otherKinds,
]

const bodyOf = ([by, seq, ms, names, ops]: Written): Body => ({
  origin: { device, session: session(by), seq, time: { ms, counter: 0 } },
  prefix: prefixOf(by, seq),
  bytes: encodeCanonical('whole' in ops ? ops.whole : [commitsToValue(commitsOf(names)), [...ops]]),
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

test.each(cases)('$shape.kind: $what', async ({ shape, bodies, state, incomplete = false }) => {
  for (const order of orders(bodies.map(bodyOf))) {
    const folded = await nativeModel(shape).open(undefined)
    for (const body of order) folded.fold([body])
    expect(folded.mirror).toEqual(state)
    expect(folded.skipped !== undefined).toBe(incomplete)
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
const fields = { r: register('initial'), c: counter(), s: set() }
const fieldOps = fc.oneof(
  fc.tuple(fc.constant('r'), ops.register),
  fc.tuple(fc.constant('c'), ops.counter),
  fc.tuple(fc.constant('s'), ops.set),
  fc.tuple(fc.constant('undeclared'), fc.constant(null)),
)
const inFields = fc
  .tuple(refs, refs, refs)
  .map(([r, c, s]): Value => ['r', r, 'c', c, 's', ['x', s], 'undeclared', []])
const random: readonly [string, Shape, fc.Arbitrary<Value>][] = [
  ['register', register('initial'), ops.register],
  ['set', set(), ops.set],
  ['counter', counter(), ops.counter],
  ['record', record(fields), fieldOps],
  ['map of registers', map(register('')), inMap(ops.register, refs)],
  ['map of counters', map(counter()), inMap(ops.counter, refs)],
  ['map of sets', map(set()), inMap(ops.set, fc.tuple(element, refs))],
  ['map of records', map(record(fields)), inMap(fieldOps, inFields)],
  [
    'map of maps',
    map(map(counter())),
    inMap(inMap(ops.counter, refs), fc.tuple(element, refs, element, refs)),
  ],
]
/** Ops of other kinds, and ops that break a rule. */
const strange = fc.constantFrom<Value>(
  7,
  0.5,
  [0, 'v', []],
  [0, 'v', [9]],
  [3, 'x', [1, 'y', []]],
  [3, 4, 5],
  [4, 'x', ['y', []]],
  [4, 'x', ['y', [0], 3]],
  [4, 'x', [0, 'y']],
  [4, 'x', ['r', ['z', []], 'c', [9]]],
  [4, 'x', ['c', [9], 'r', ['z', []]]],
  ['r', 1],
  ['c', [0, 'v', [9]]],
  [1, null, []],
  new Uint8Array(2),
  null,
)
test.each(random)(
  'bodies that are folded in any order give the state that the definition gives: %s',
  async (_, shape, op) => {
    const named = fc.tuple(
      fc.constantFrom('a', 'b', 'c'),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(3),
    )
    const written = fc.record({
      by: fc.constantFrom('a', 'b', 'c'),
      ms: fc.nat(4),
      names: fc.array(named, { minLength: 6, maxLength: 6 }),
      ops: fc.array(fc.oneof({ arbitrary: op, weight: 9 }, { arbitrary: strange, weight: 1 }), {
        minLength: 1,
        maxLength: 3,
      }),
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
          state.fold([next])
        }
        const incomplete = state.skipped !== undefined
        const expected = stateOf(shape, bodies.map(vectorOf))
        expect({ state: state.mirror, incomplete }).toEqual(expected)
      }),
      { numRuns: 100 },
    )
  },
)

test('the vectors of states are what they were', () => {
  const computed = cases.map(({ what, shape, bodies, state, incomplete = false }) => ({
    what,
    shape,
    bodies: bodies.map(bodyOf).map(vectorOf),
    state,
    incomplete,
  }))
  const text = JSON.stringify(computed, null, 2) + '\n'
  if (process.env['UPDATE_VECTORS']) writeFileSync(file, text)
  expect(text).toBe(readFileSync(file, 'utf8'))
})
