import { readFileSync, writeFileSync } from 'node:fs'

import {
  counter,
  encodeCanonical,
  list,
  map,
  record,
  register,
  set,
  tree,
  toHex,
  type Body,
  type DeviceId,
  type Json,
  type SessionId,
  type Shape,
  type Tip,
  type Value,
} from '@peerplane/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { Lineages } from '../log/lineages.ts'
import { commitsToValue, NamedCommit } from './commits.ts'
import { entityCases } from './entity-vectors.fixture.test.ts'
import { nativeModel } from './native-model.ts'
import { smallCases, smallRandom } from './small-vectors.fixture.test.ts'

/*
 * Which op supersedes which: docs/state-vectors.json holds bodies of concurrent commits, and the state that they make in every order. With
 * UPDATE_VECTORS=1 the test writes the file again; a change of it is a change of the protocol.
 */

const docs = new URL('../../../../docs/', import.meta.url)
const file = new URL('state-vectors.json', docs)
const { stateOf } = (await import(new URL('protocol-decoder.mjs', docs).href)) as {
  stateOf: (vector: object) => { state: Json; exists: boolean; incomplete: boolean }
}

/**
 * A body: its session, its seq, the milliseconds of its time, the commits that it names, its ops, its generation. `a2` is the second commit of
 * session a; `a2?` has another prefix. In place of ops, there may be all that the body holds.
 */
type Written = readonly [
  by: string,
  seq: number,
  ms: number,
  names: string,
  ops: readonly Value[] | { readonly whole: Value },
  generation?: Value | undefined,
]

/** The device of a session, and its parents. Without it, a session has the device with its own name, and no parents. */
interface Begun {
  readonly device: string
  readonly parents: string
}
type Sessions = Readonly<Record<string, Begun>>

interface Case {
  readonly what: string
  readonly shape: Shape
  readonly sessions?: Sessions
  readonly bodies: readonly Written[]
  readonly state: Json
  /** Whether the entity exists. */
  readonly exists?: false
  /** Whether an op was skipped. */
  readonly incomplete?: true
}

const most = Number.MAX_SAFE_INTEGER
/** Lists in each other. */
const nested = (levels: number): Value =>
  Array.from({ length: levels - 1 }).reduce<Value>((inner) => [inner], [])
/** One level more than a value may have. */
const tooDeep = nested(33)
const shelf = map(record({ title: register('none'), votes: counter(), tags: set() }))
/** A session b of the device of session a, which comes after commit a1. */
const afterA: Sessions = { b: { device: 'a', parents: 'a1' } }
const write = (value: Value, names: readonly number[] = []): Value => [0, value, names]

const registers: readonly Case[] = [
  {
    what: 'a register shows its initial value if nobody has written to it',
    shape: record({ title: register('none'), votes: counter() }),
    bodies: [['a', 1, 1, '', [['votes', 1]]]],
    state: { title: 'none', votes: 1 },
  },
  {
    what: 'of two concurrent writes, the later one is shown',
    shape: register(''),
    bodies: [
      ['a', 1, 2, '', [write('late')]],
      ['b', 1, 1, '', [write('early')]],
    ],
    state: 'late',
  },
  {
    what: 'of two concurrent writes at the same time, that of the greater session is shown',
    shape: register(''),
    bodies: [
      ['a', 1, 1, '', [write('a')]],
      ['b', 1, 1, '', [write('b')]],
    ],
    state: 'b',
  },
  {
    what: 'a write that names another supersedes it, whatever the clocks say',
    shape: register(''),
    bodies: [
      ['a', 1, 2, '', [write('before')]],
      ['b', 1, 1, 'a1', [write('after', [0])]],
    ],
    state: 'after',
  },
  {
    what: 'a write can name several others, of which one comes later in some orders',
    shape: register(''),
    bodies: [
      ['a', 1, 9, '', [write('a')]],
      ['b', 1, 8, '', [write('b')]],
      ['c', 1, 1, 'b1 a1', [write('c', [1, 0])]],
    ],
    state: 'c',
  },
  {
    what: 'of the writes of one session the latest counts, and of those of one commit the last',
    shape: register(''),
    bodies: [
      ['a', 1, 1, '', [write('one'), write('two')]],
      ['a', 2, 2, '', [write('three'), write('four')]],
    ],
    state: 'four',
  },
  {
    what: 'a write is kept out by a write of its session with a later time',
    shape: register(''),
    bodies: [
      ['a', 1, 9, '', [write('fast clock')]],
      ['a', 2, 1, '', [write('slow clock')]],
    ],
    state: 'fast clock',
  },
  {
    what: 'a write is not superseded by a body that names its place with another prefix',
    shape: register(''),
    bodies: [
      ['a', 1, 2, '', [write('kept')]],
      ['b', 1, 1, 'a1?', [write('too early', [0])]],
    ],
    state: 'kept',
  },
  {
    what: 'a body that names its own session has no effect',
    shape: register(''),
    bodies: [
      ['a', 1, 1, '', [write('one')]],
      ['a', 2, 2, 'a1', [write('two', [0])]],
    ],
    state: 'one',
  },
  {
    what: 'of the sessions of one device without parents, the latest write counts',
    shape: register(''),
    sessions: { b: { device: 'a', parents: '' }, c: { device: 'a', parents: '' } },
    bodies: [
      ['a', 1, 3, '', [write('a')]],
      ['b', 1, 9, '', [write('b')]],
      ['c', 1, 6, '', [write('c')]],
    ],
    state: 'b',
  },
  {
    what: 'a superseded write keeps out the earlier writes of its device',
    shape: register(''),
    sessions: { b: { device: 'a', parents: '' } },
    bodies: [
      ['a', 1, 9, '', [write('named')]],
      ['b', 1, 5, '', [write('kept out')]],
      ['c', 1, 1, 'a1', [write('shown', [0])]],
    ],
    state: 'shown',
  },
  {
    what: 'a later write of the device is not superseded with it',
    shape: register(''),
    bodies: [
      ['a', 1, 3, '', [write('named')]],
      ['a', 2, 4, '', [write('not named')]],
      ['b', 1, 2, 'a1', [write('b', [0])]],
    ],
    state: 'not named',
  },
  {
    what: 'a name of an earlier write of a device has no effect on its latest',
    shape: register(''),
    sessions: { b: { device: 'a', parents: '' } },
    bodies: [
      ['a', 1, 9, '', [write('latest')]],
      ['b', 1, 5, '', [write('earlier')]],
      ['c', 1, 1, 'b1', [write('c', [0])]],
    ],
    state: 'latest',
  },
  {
    what: 'a write of a deeper session comes after those of its device, whatever the clocks say',
    shape: register(''),
    sessions: afterA,
    bodies: [
      ['a', 1, 9, '', [write('before')]],
      ['b', 1, 1, '', [write('after')]],
    ],
    state: 'after',
  },
  {
    what: 'also if it comes after a session that has not written there',
    shape: record({ title: register(''), votes: counter() }),
    sessions: {
      b: { device: 'a', parents: '' },
      c: { device: 'a', parents: 'b1' },
      d: { device: 'a', parents: 'a1 c1' },
    },
    bodies: [
      ['a', 1, 9, '', [['title', write('depth 1')]]],
      ['b', 1, 9, '', [['votes', 1]]],
      ['c', 1, 5, '', [['title', write('depth 2')]]],
      ['d', 1, 1, '', [['votes', 1]]],
    ],
    state: { title: 'depth 2', votes: 2 },
  },
  {
    what: 'a parent of another device makes a session no deeper',
    shape: register(''),
    sessions: { b: { device: 'a', parents: 'c1' } },
    bodies: [
      ['a', 1, 9, '', [write('late')]],
      ['c', 1, 1, '', [write('of another device')]],
      ['b', 1, 5, '', [write('early')]],
    ],
    state: 'late',
  },
  {
    what: 'a name counts for another session of the same device, too',
    shape: register(''),
    sessions: { b: { device: 'a', parents: '' } },
    bodies: [
      ['a', 1, 9, '', [write('named')]],
      ['b', 1, 1, 'a1', [write('kept out', [0])]],
      ['c', 1, 2, '', [write('shown')]],
    ],
    state: 'shown',
  },
  {
    what: 'devices whose ids begin with the same 16 bytes count as one',
    shape: register(''),
    sessions: { b: { device: 'a+', parents: '' } },
    bodies: [
      ['a', 1, 9, '', [write('named')]],
      ['b', 1, 5, '', [write('kept out')]],
      ['c', 1, 1, 'a1', [write('shown', [0])]],
    ],
    state: 'shown',
  },
]

const sets: readonly Case[] = [
  {
    what: 'an addition wins against a deletion that has not seen it',
    shape: set(),
    bodies: [
      ['a', 1, 1, '', [[1, 'x']]],
      ['a', 2, 2, '', [[2, 'x', []]]],
      ['b', 1, 1, '', [[1, 'x']]],
    ],
    state: ['x'],
  },
  {
    what: 'a deletion supersedes the touches that it names, and those of its own session',
    shape: set(),
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [1, 'x'],
          [1, 'y'],
        ],
      ],
      [
        'b',
        1,
        1,
        'a1',
        [
          [1, 'x'],
          [2, 'x', [0]],
        ],
      ],
    ],
    state: ['y'],
  },
  {
    what: 'an addition after a deletion in the same commit touches the element again',
    shape: set(),
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [1, 'x'],
          [2, 'x', []],
          [1, 'x'],
          [1, 'y'],
          [2, 'y', []],
        ],
      ],
    ],
    state: ['x'],
  },
  {
    what: 'a touch supersedes the earlier one of its session: a deletion that names only the earlier one has no effect',
    shape: set(),
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [1, 'x'],
          [1, 'y'],
        ],
      ],
      ['a', 2, 2, '', [[1, 'x']]],
      [
        'b',
        1,
        1,
        'a1 a2',
        [
          [2, 'x', [0]],
          [2, 'y', [0, 1]],
        ],
      ],
    ],
    state: ['x'],
  },
  {
    what: 'a deletion supersedes the touches that its session covers, without naming them',
    shape: set(),
    sessions: afterA,
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [1, 'x'],
          [1, 'y'],
        ],
      ],
      ['b', 1, 2, '', [[2, 'x', []]]],
    ],
    state: ['y'],
  },
  {
    what: 'a session does not cover what comes after the commit that is its parent',
    shape: set(),
    sessions: afterA,
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [1, 'x'],
          [1, 'y'],
        ],
      ],
      ['a', 2, 2, '', [[1, 'x']]],
      [
        'b',
        1,
        3,
        '',
        [
          [2, 'x', []],
          [2, 'y', []],
        ],
      ],
    ],
    state: ['x'],
  },
  {
    what: 'a session covers all commits of a session that it comes after by way of another one',
    shape: set(),
    sessions: {
      b: { device: 'a', parents: 'a2' },
      c: { device: 'a', parents: 'b1' },
    },
    bodies: [
      ['a', 1, 1, '', [[1, 'x']]],
      ['a', 2, 1, '', [[1, 'y']]],
      ['b', 1, 1, '', [[1, 'z']]],
      ['c', 1, 1, '', ['x', 'y', 'z'].map((each) => [2, each, []])],
    ],
    state: [],
  },
  {
    what: 'a touch supersedes the touches that its session covers: a deletion need not name them',
    shape: set(),
    sessions: afterA,
    bodies: [
      ['a', 1, 1, '', [[1, 'x']]],
      ['b', 1, 2, '', [[1, 'x']]],
      ['c', 1, 3, 'b1', [[2, 'x', [0]]]],
    ],
    state: [],
  },
  {
    what: 'a session covers nothing of another device, although it names it as its parent',
    shape: set(),
    sessions: { b: { device: 'b', parents: 'a1' } },
    bodies: [
      ['a', 1, 1, '', [[1, 'x']]],
      ['b', 1, 2, '', [[2, 'x', []]]],
    ],
    state: ['x'],
  },
  {
    what: 'a touch is not superseded by a name with another prefix, and is by one with its own, also where it comes later',
    shape: set(),
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [1, 'x'],
          [1, 'y'],
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
    what: 'a name of a commit that has another op on the element has no effect later',
    shape: set(),
    bodies: [
      ['a', 1, 1, '', [[2, 'x', []]]],
      ['b', 1, 1, 'a1', [[2, 'x', [0]]]],
      ['a', 2, 2, '', [[1, 'x']]],
    ],
    state: ['x'],
  },
  {
    what: 'a set shows numbers in ascending order, then texts in the order of their bytes',
    shape: set(),
    bodies: [['a', 1, 1, '', ['\u{10000}', '\uffff', 10, 9.5, '10', -1].map((each) => [1, each])]],
    state: [-1, 9.5, 10, '10', '\uffff', '\u{10000}'],
  },
  {
    what: 'a closed generation ends for ever, and the next one begins without touches',
    shape: set(),
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [1, 'x'],
          [1, 'y'],
        ],
      ],
      [
        'b',
        1,
        1,
        '',
        [
          [2, 'x', null],
          [2, 'y', null],
        ],
      ],
      ['b', 2, 2, '', [[1, 'y', 1]]],
      ['c', 1, 9, '', [[1, 'x']]],
    ],
    state: ['y'],
  },
]

const twoChanges: readonly Value[] = [
  [3, 'k', ['title', write('lunch')]],
  [3, 'k', ['votes', 2]],
]

const maps: readonly Case[] = [
  {
    what: 'a key exists from the first op on it, also if its counter adds up to 0, its set is empty, or its value was not changed at all',
    shape: record({ counts: map(counter()), sets: map(set()), shelf }),
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          ...[1, -1].map((by): Value => ['counts', [3, 'k', by]]),
          ['sets', [3, 'k', [1, 'x']]],
          ['sets', [3, 'k', [2, 'x', []]]],
          ['shelf', [5, 'k']],
        ],
      ],
    ],
    state: {
      counts: { k: 0 },
      sets: { k: [] },
      shelf: { k: { title: 'none', votes: 0, tags: [] } },
    },
  },
  {
    what: 'a removal supersedes the touches that it names, and those of its own session',
    shape: map(counter()),
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [3, 'k', 1],
          [3, 'l', 1],
          [5, 'm'],
        ],
      ],
      [
        'b',
        1,
        1,
        'a1',
        [
          [3, 'k', 1],
          [4, 'k', [0]],
          [4, 'm', [0]],
        ],
      ],
    ],
    state: { l: 1 },
  },
  {
    what: 'a touch that a removal does not name keeps the whole entry, not a part of it',
    shape: shelf,
    bodies: [
      ['a', 1, 1, '', twoChanges],
      ['b', 1, 1, 'a1', [[4, 'k', [0]]]],
      ['c', 1, 1, '', [[3, 'k', ['tags', [1, 'new']]]]],
    ],
    state: { k: { title: 'lunch', votes: 2, tags: ['new'] } },
  },
  {
    what: 'an entry is made and kept by a touch without a change',
    shape: shelf,
    bodies: [
      ['a', 1, 1, '', twoChanges],
      ['b', 1, 1, 'a1', [[4, 'k', [0]]]],
      ['c', 1, 1, '', [[5, 'k']]],
    ],
    state: { k: { title: 'lunch', votes: 2, tags: [] } },
  },
  {
    what: 'a removal supersedes the touches that its session covers',
    shape: map(counter()),
    sessions: afterA,
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [3, 'k', 1],
          [3, 'l', 1],
        ],
      ],
      ['b', 1, 1, '', [[4, 'k', []]]],
      ['c', 1, 1, 'a1', [[4, 'l', [0]]]],
    ],
    state: {},
  },
  {
    what: 'the next generation of an entry begins with its initial state',
    shape: shelf,
    bodies: [
      ['a', 1, 1, '', twoChanges],
      [
        'b',
        1,
        1,
        'a1',
        [
          [4, 'k', [0]],
          [3, 'k', ['votes', 5], 1],
        ],
      ],
    ],
    state: { k: { title: 'none', votes: 5, tags: [] } },
  },
  {
    what: 'ops of a lower generation have no effect, whenever they come',
    shape: shelf,
    bodies: [
      ['a', 1, 1, '', twoChanges],
      ['b', 1, 1, '', [[3, 'k', ['votes', 5], 1]]],
      [
        'c',
        1,
        9,
        'b1',
        [
          [3, 'k', ['title', write('late')]],
          [4, 'k', [0]],
          [4, 'k', null],
        ],
      ],
    ],
    state: { k: { title: 'none', votes: 5, tags: [] } },
  },
  {
    what: 'a removal of a higher generation begins it, so that the key is gone',
    shape: map(counter()),
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [3, 'k', 1],
          [3, 'l', 1],
        ],
      ],
      ['b', 1, 1, '', [[4, 'k', [], 1]]],
      ['c', 1, 1, '', [[3, 'k', 2]]],
    ],
    state: { l: 1 },
  },
  {
    what: 'a removal names touches of its own generation',
    shape: map(counter()),
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [3, 'k', 1],
          [3, 'k', 2, 3],
          [3, 'l', 1],
          [3, 'l', 2, 3],
        ],
      ],
      [
        'b',
        1,
        1,
        'a1',
        [
          [4, 'k', [0], 3],
          [4, 'l', [0]],
        ],
      ],
    ],
    state: { l: 2 },
  },
  {
    what: 'a closed generation ends for ever, also against changes that its author has not seen',
    shape: shelf,
    bodies: [
      ['a', 1, 1, '', twoChanges],
      ['b', 1, 1, '', [[4, 'k', null]]],
      [
        'c',
        1,
        9,
        '',
        [
          [3, 'k', ['votes', 1]],
          [5, 'k'],
        ],
      ],
    ],
    state: {},
  },
  {
    what: 'after a closed generation, a higher one begins with the initial state',
    shape: shelf,
    bodies: [
      ['a', 1, 1, '', twoChanges],
      ['b', 1, 1, '', [[4, 'k', null, 4]]],
      [
        'c',
        1,
        1,
        '',
        [
          [3, 'k', ['votes', 3], 3],
          [3, 'l', ['votes', 3], 3],
        ],
      ],
      [
        'd',
        1,
        1,
        '',
        [
          [3, 'k', ['votes', 5], 5],
          [4, 'l', null, 2],
        ],
      ],
    ],
    state: {
      k: { title: 'none', votes: 5, tags: [] },
      l: { title: 'none', votes: 3, tags: [] },
    },
  },
  {
    what: 'a value is changed also while its key is removed, and a touch brings all of it back',
    shape: map(counter()),
    bodies: [
      ['a', 1, 1, '', [[3, 'k', 5]]],
      ['b', 1, 1, 'a1 c1', [[4, 'k', [0, 1]]]],
      ['c', 1, 1, '', [[3, 'k', 3]]],
      ['d', 1, 1, '', [[3, 'k', 2]]],
    ],
    state: { k: 10 },
  },
  {
    what: 'a removal in an entry does not touch the entry',
    shape: map(record({ tags: set(), parts: map(counter()) })),
    bodies: [
      ['a', 1, 1, '', ['k', 'l'].map((key) => [3, key, ['tags', [1, 'x']]])],
      ['a', 2, 1, '', ['k', 'l'].map((key) => [3, key, ['parts', [3, 'p', 1]]])],
      [
        'b',
        1,
        1,
        'a2',
        [
          [4, 'k', [0]],
          [4, 'l', [0]],
        ],
      ],
      [
        'c',
        1,
        1,
        'a1 a2',
        [
          [3, 'k', ['tags', [2, 'x', [0]]]],
          [3, 'l', ['parts', [4, 'p', [1]]]],
          [5, 'l'],
        ],
      ],
    ],
    state: { l: { tags: ['x'], parts: {} } },
  },
  {
    what: 'a removal in an entry of a higher generation begins it, without a touch',
    shape: map(set()),
    bodies: [
      ['a', 1, 1, '', ['k', 'l'].map((key) => [3, key, [1, 'x']])],
      ['b', 1, 1, '', [[3, 'k', [2, 'x', []], 1]]],
    ],
    state: { l: ['x'] },
  },
  {
    what: 'a change in a map inside of a map touches the keys of both',
    shape: map(map(counter())),
    bodies: [
      ['a', 1, 1, '', ['x', 'y'].map((key) => [3, 'k', [3, key, 1]])],
      [
        'b',
        1,
        1,
        'a1',
        [
          [3, 'k', [4, 'x', [0]]],
          [4, 'k', [0]],
        ],
      ],
      ['c', 1, 1, '', [[3, 'k', [3, 'y', 2]]]],
    ],
    state: { k: { y: 3 } },
  },
  {
    what: 'the last generation cannot be closed: a body that closes it has no effect',
    shape: map(counter()),
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [3, 'k', 1, most],
          [3, 'l', 1, most],
        ],
      ],
      [
        'b',
        1,
        1,
        'a1',
        [
          [4, 'k', null, most],
          [4, 'l', [0], most],
        ],
      ],
      ['c', 1, 1, 'a1', [[4, 'l', [0], most]]],
    ],
    state: { k: 1 },
  },
  {
    what: 'in the last generation, a touch brings the value back',
    shape: map(counter()),
    bodies: [
      ['a', 1, 1, '', [[3, 'k', 1, most]]],
      [
        'b',
        1,
        1,
        'a1',
        [
          [4, 'k', [0], most],
          [3, 'k', 2, most],
        ],
      ],
    ],
    state: { k: 3 },
  },
  {
    what: 'an op without an effect is judged like any other: it can be of another kind, and break a rule',
    shape: map(counter()),
    bodies: [
      ['a', 1, 1, '', [[3, 'k', 1, 2]]],
      [
        'b',
        1,
        1,
        '',
        [
          [3, 'k', write('x'), 1],
          [3, 'l', 1],
        ],
      ],
      [
        'c',
        1,
        1,
        '',
        [
          [3, 'k', 0.5, 1],
          [3, 'l', 2],
        ],
      ],
    ],
    state: { k: 1, l: 1 },
    incomplete: true,
  },
  {
    what: 'an op of another kind neither touches an entry nor begins a generation',
    shape: map(counter()),
    bodies: [
      ['a', 1, 1, '', [[3, 'k', 1]]],
      [
        'b',
        1,
        1,
        '',
        [
          [3, 'k', write('x'), 1],
          [3, 'l', write('x')],
        ],
      ],
    ],
    state: { k: 1 },
    incomplete: true,
  },
  {
    what: 'an op in a field that is not declared touches the entry, unless its innermost op is a removal',
    shape: shelf,
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [3, 'k', ['color', [9]]],
          [3, 'l', ['color', [3, 'x', ['y', [2, 'z']]]]],
          [3, 'm', ['color', ['x', [4], 'z']]],
          [3, 'n', ['color', [5, [4]]]],
        ],
      ],
    ],
    state: {
      k: { title: 'none', votes: 0, tags: [] },
      n: { title: 'none', votes: 0, tags: [] },
    },
  },
  {
    what: 'what was declared to win decides only which ops are written, not what they mean',
    shape: map(set(), { wins: 'removal' }),
    bodies: [
      ['a', 1, 1, '', ['k', 'l'].map((key) => [3, key, [1, 'x']])],
      [
        'b',
        1,
        1,
        'a1',
        [
          [4, 'k', [0]],
          [4, 'l', null],
        ],
      ],
      ['c', 1, 1, '', ['k', 'l'].map((key) => [3, key, [1, 'y']])],
    ],
    state: { k: ['x', 'y'] },
  },
  {
    what: 'a register below a key keeps one write of each device, in each generation',
    shape: map(register('none')),
    sessions: afterA,
    bodies: [
      [
        'a',
        1,
        9,
        '',
        [
          [3, 'k', write('a')],
          [3, 'l', write('a')],
        ],
      ],
      [
        'b',
        1,
        1,
        '',
        [
          [3, 'k', write('b')],
          [3, 'l', write('b'), 1],
        ],
      ],
      [
        'c',
        1,
        5,
        'b1',
        [
          [3, 'l', write('c', [0]), 1],
          [3, 'm', write('c', [0])],
        ],
      ],
    ],
    state: { k: 'b', l: 'c', m: 'c' },
  },
]

const countersAndRecords: readonly Case[] = [
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
    what: 'a counter shows the nearest integer if its sum is too large or too small',
    shape: record({ high: counter(), low: counter() }),
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          ['high', most],
          ['low', -most],
        ],
      ],
      [
        'b',
        1,
        1,
        '',
        [
          ['high', most],
          ['low', -1],
        ],
      ],
    ],
    state: { high: most, low: -most },
  },
  {
    what: 'the sum of a counter is exact where it cannot be shown',
    shape: counter(),
    bodies: [
      ['a', 1, 1, '', [most, most, most]],
      ['b', 1, 1, '', [-most, 1]],
      ['c', 1, 1, '', [-most, -3]],
    ],
    state: most - 2,
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
          ['title', write('lunch')],
          ['color', [9]],
          ['tags', [1, 'x']],
        ],
      ],
      ['b', 1, 2, 'a1', [['title', write('dinner', [0])]]],
    ],
    state: { title: 'dinner', votes: 0, tags: ['x'] },
  },
]

/** Ops of other kinds, and bodies that break a rule. */
const otherKinds: readonly Case[] = [
  {
    what: 'an op of another kind is skipped, although it also breaks a rule of its own kind',
    shape: counter(),
    bodies: [
      ['a', 1, 1, '', [write(tooDeep), 5, [1, 'x', [9]], ['field', 0.5], [4], new Uint8Array(2)]],
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
          [3, 7, write('x')],
        ],
      ],
      [
        'b',
        1,
        1,
        '',
        [
          [3, 'l', 5],
          [3, 'k', write('x'), 0],
        ],
      ],
      ['c', 1, 1, '', [[3, 'k', 1]]],
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
    what: 'a body of another op that breaks a rule is void as a whole, and then nothing is missing',
    shape: counter(),
    bodies: [
      ['a', 1, 1, '', [write('x'), 0.5]],
      ['b', 1, 1, '', [1]],
    ],
    state: 1,
  },
  {
    what: 'a body that begins with a byte string is one op on a document, whatever follows',
    shape: register('none'),
    bodies: [
      ['a', 1, 1, '', [write('kept')]],
      ['b', 1, 2, '', { whole: [new Uint8Array(2), [write('x')], 7] }],
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
    what: 'a body is void if it has more than 256 levels of lists and maps, also in a field that is not declared',
    shape: record({ votes: counter() }),
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          ['votes', 1],
          ['color', nested(253)],
        ],
      ],
      [
        'b',
        1,
        1,
        '',
        [
          ['votes', 2],
          ['color', nested(254)],
        ],
      ],
    ],
    state: { votes: 1 },
  },
  ...(
    [
      ['a mark that no kind has', [6, 'x']],
      ['an item too many', [1, 'y', 1, 1]],
      ['an item too few', [2, 'x']],
      ['a generation of 0', [1, 'y', 0]],
      ['a generation that is no integer', [1, 'y', 0.5]],
      ['a generation that is too large', [1, 'y', 2 ** 53]],
      ['names that are no list', [2, 'x', 0]],
      ['a name that is not listed', [2, 'x', [1]]],
      ['an element that is no value', [1, new Uint8Array(1)]],
      ['a text as its first item, and another length', ['x', 1, 1]],
    ] satisfies readonly (readonly [string, Value])[]
  ).map(([what, op]): Case => ({
    what: `a body has no effect at all if one of its ops has ${what}`,
    shape: set(),
    bodies: [
      ['a', 1, 1, '', [[1, 'x']]],
      ['b', 1, 1, 'a1', [[2, 'x', [0]], op]],
    ],
    state: ['x'],
  })),
]

/** Keys begin with the session, in base64url. */
const [inA, inB] = ['CgoKCgoKCgoKCgoKCgoKCg', 'CwsLCwsLCwsLCwsLCwsLCw']
const item = (key: string, value = 'none'): Json => ({ key, value })
const texts = list(register('none'))
const abc: Written = ['a', 1, 1, '', [[10], [10, 1, -1, 0], [10, 1, -1, 1]]]

const lists: readonly Case[] = [
  {
    what: 'what two sessions insert after one element is in the order of the sessions, each in a piece',
    shape: texts,
    bodies: [
      ['a', 1, 1, '', [[10], [11, write('x'), -1, 0]]],
      [
        'a',
        2,
        2,
        '',
        [
          [10, 1, -2, 0],
          [10, 1, -1, 0],
          [11, write('2'), -1, 1],
        ],
      ],
      [
        'b',
        1,
        1,
        'a1',
        [
          [10, 1, 0, 0],
          [11, write('3'), -1, 0],
          [10, 1, -1, 0],
        ],
      ],
    ],
    state: [
      item(`${inA}1.0`, 'x'),
      item(`${inA}2.0`),
      item(`${inA}2.1`, '2'),
      item(`${inB}1.0`, '3'),
      item(`${inB}1.2`),
    ],
  },
  {
    what: 'what two sessions insert before one element is in the order of the sessions',
    shape: texts,
    bodies: [
      ['a', 1, 1, '', [[10]]],
      [
        'a',
        2,
        2,
        '',
        [
          [10, 0, -2, 0],
          [10, 0, -1, 0],
        ],
      ],
      ['b', 1, 1, 'a1', [[10, 0, 0, 0]]],
    ],
    state: [item(`${inA}2.1`), item(`${inA}2.0`), item(`${inB}1.0`), item(`${inA}1.0`)],
  },
  {
    what: 'of two concurrent moves of an element, the later one counts',
    shape: texts,
    bodies: [
      abc,
      ['a', 2, 5, '', [[12, [], -2, 0, 1, -2, 2]]],
      ['b', 1, 9, 'a1', [[12, [], 0, 0, 0, 0, 2]]],
    ],
    state: [item(`${inA}1.1`), item(`${inA}1.0`), item(`${inA}1.2`)],
  },
  {
    what: 'a move that names another supersedes it, whatever the clocks say',
    shape: texts,
    bodies: [
      abc,
      ['a', 2, 5, 'b1', [[12, [0], -2, 0, 1, -2, 2]]],
      ['b', 1, 9, 'a1', [[12, [], 0, 0, 0, 0, 2]]],
    ],
    state: [item(`${inA}1.1`), item(`${inA}1.2`), item(`${inA}1.0`)],
  },
  {
    what: 'an element that is changed or moved concurrently with its deletion stays, and others go',
    shape: texts,
    bodies: [
      abc,
      ['b', 1, 9, 'a1', [0, 1, 2].map((index) => [13, [0], 0, index])],
      [
        'a',
        2,
        2,
        '',
        [
          [11, write('y'), -2, 1],
          [12, [], -2, 2],
        ],
      ],
    ],
    state: [item(`${inA}1.1`, 'y'), item(`${inA}1.2`)],
  },
  {
    what: 'a removal inside an element does not keep the element',
    shape: list(map(counter())),
    bodies: [
      ['a', 1, 1, '', [[10], [11, [3, 'x', 1], -1, 0]]],
      ['b', 1, 1, 'a1', [[13, [0], 0, 0]]],
      ['a', 2, 2, '', [[11, [4, 'x', []], -2, 0]]],
    ],
    state: [],
  },
  {
    what: 'no change keeps an element that was closed',
    shape: texts,
    bodies: [
      abc,
      ['b', 1, 9, 'a1', [[13, null, 0, 1]]],
      [
        'a',
        2,
        2,
        '',
        [
          [11, write('y'), -2, 1],
          [12, [], -2, 1],
        ],
      ],
    ],
    state: [item(`${inA}1.0`), item(`${inA}1.2`)],
  },
  {
    what: 'an element next to a position that has not come is shown last, and so is what follows it',
    shape: texts,
    bodies: [
      ['a', 1, 1, '', [[10]]],
      [
        'b',
        1,
        1,
        'a1? a1',
        [
          [10, 0, 0, 0],
          [10, 1, -1, 0],
          [10, 0, 1, 0],
        ],
      ],
    ],
    state: [item(`${inB}1.2`), item(`${inA}1.0`), item(`${inB}1.0`), item(`${inB}1.1`)],
  },
  {
    what: 'a move to a position that has not come has no effect yet',
    shape: texts,
    bodies: [
      abc,
      [
        'b',
        1,
        1,
        'a1 a2',
        [
          [12, [], 0, 2],
          [12, [], 0, 0, 1, 1, 0],
        ],
      ],
    ],
    state: [item(`${inA}1.0`), item(`${inA}1.1`), item(`${inA}1.2`)],
  },
  {
    what: 'a position next to one that its session has not made is at the root',
    shape: texts,
    bodies: [
      ['a', 1, 1, '', [[10], [10, 1, -1, 0]]],
      [
        'a',
        2,
        1,
        '',
        [
          [10, 0, -2, 7],
          [11, write('lost'), -2, 7],
        ],
      ],
    ],
    state: [item(`${inA}1.0`), item(`${inA}1.1`), item(`${inA}2.0`)],
  },
  {
    what: 'a move makes no element, whatever names it as one',
    shape: texts,
    bodies: [
      ['a', 1, 1, '', [[10], [12, [], -1, 0], [11, write('lost'), -1, 1]]],
      [
        'b',
        1,
        1,
        'a1',
        [
          [12, [], 0, 1],
          [13, null, 0, 1],
        ],
      ],
    ],
    state: [item(`${inA}1.0`)],
  },
  {
    what: 'a body is void if an op names what it makes itself',
    shape: texts,
    bodies: [
      ['a', 1, 1, '', [[10, 1, -1, 0]]],
      ['a', 2, 1, '', [[10], [10, 1, -1, 2], [10]]],
      ['a', 3, 1, '', [[10]]],
    ],
    state: [item(`${inA}3.0`)],
  },
]

const outline = tree(register('none'))
const node = (key: string, children: readonly Json[] = []): Json => ({
  key: `${inA}${key}`,
  value: 'none',
  children,
})
/** One node on the top level, 1.0, with the nodes 1.1 and 1.2 below it, and 1.3 below 1.2. */
const four: readonly Value[] = [
  [15, null, [0, 0]],
  [15, [-1, 0], [0, 0]],
  [15, [-1, 0], [0, 1]],
  [15, [-1, 2], [0, 0]],
]

const trees: readonly Case[] = [
  {
    what: 'of two moves that make a cycle, the node of the later one stays where it was',
    shape: outline,
    bodies: [
      ['a', 1, 1, '', four],
      ['b', 1, 2, 'a1', [[16, [0, 1], [0, 2], [0, 0], []]]],
      ['c', 1, 3, 'a1', [[16, [0, 2], [0, 1], [0, 0], []]]],
    ],
    state: [node('1.0', [node('1.2', [node('1.3'), node('1.1')])])],
  },
  {
    what: 'if the place where a node was is cut off too, it goes to where it was inserted',
    shape: outline,
    bodies: [
      ['a', 1, 1, '', [...four, [16, [-1, 3], [-1, 1], [0, 0], []]]],
      ['b', 1, 2, 'a1', [[16, [0, 0], [0, 1], [0, 0], []]]],
      ['c', 1, 3, 'a1', [[16, [0, 3], [0, 3], [0, 0], []]]],
    ],
    state: [node('1.0', [node('1.1'), node('1.2')]), node('1.3')],
  },
  {
    what: 'a node is below the parent of its latest move; a move that another one names has no effect, whatever the clocks say',
    shape: outline,
    bodies: [
      ['a', 1, 1, '', four],
      ['b', 1, 9, 'a1', [[16, [0, 3], null, [0, 0], []]]],
      ['c', 1, 2, 'a1 b1', [[16, [0, 3], [0, 1], [0, 0], [1]]]],
    ],
    state: [node('1.0', [node('1.1', [node('1.3')]), node('1.2')])],
  },
  {
    what: 'a deleted node is not shown, nor what is below it, unless a touch is not named',
    shape: outline,
    bodies: [
      ['a', 1, 1, '', four],
      ['b', 1, 2, 'a1', [[18, [0, 2], [0]]]],
      [
        'c',
        1,
        3,
        'a1',
        [
          [18, [0, 1], [0]],
          [19, [0, 1]],
        ],
      ],
    ],
    state: [node('1.0', [node('1.1')])],
  },
  {
    what: 'a node that was moved keeps the nodes above it, but not a closed one',
    shape: outline,
    bodies: [
      ['a', 1, 1, '', four],
      ['b', 1, 2, 'a1', [[16, [0, 3], [0, 1], [0, 0], []]]],
      [
        'c',
        1,
        3,
        'a1',
        [
          [18, [0, 0], [0]],
          [18, [0, 1], [0]],
          [18, [0, 2], null],
        ],
      ],
    ],
    state: [node('1.0', [node('1.1', [node('1.3')])])],
  },
  {
    what: 'what one session puts into a gap is in a piece, forwards and backwards',
    shape: outline,
    bodies: [
      ['a', 1, 1, '', [[15, null, [0, 0]]]],
      ['a', 2, 2, '', [0, 1, 2].map((step) => [15, null, [16, step]])],
      ['b', 1, 2, 'a1', [0, -1, -2].map((step) => [15, null, [16, step]])],
    ],
    state: [
      node('1.0'),
      ...[0, 1, 2].map((number) => node(`2.${number}`)),
      ...[2, 1, 0].map((number) => ({ ...(node('') as object), key: `${inB}1.${number}` })),
    ],
  },
  {
    what: 'a body is void if a node is below a node of its own commit that comes later, or below itself',
    shape: outline,
    bodies: [
      ['a', 1, 1, '', [[15, null, [0, 0]]]],
      ['a', 2, 2, '', [[15, [-1, 0], [0, 0]]]],
      ['b', 1, 2, '', [[16, [-1, 1], null, [0, 0], []]]],
    ],
    state: [node('1.0')],
  },
]

const cases: readonly Case[] = [
  ...registers,
  ...sets,
  ...maps,
  ...lists,
  ...trees,
  ...countersAndRecords,
  ...smallCases,
  ...otherKinds,
  ...entityCases,
]

const session = (name: string): SessionId =>
  toHex(new Uint8Array(16).fill(parseInt(name, 16))) as SessionId
const prefixOf = (by: string, seq: number): string => `${by}${seq}`.repeat(8)

/** `a` stands for a device, and `a+` for another one whose id begins with the same 16 bytes. */
const deviceId = ([name, isOther]: string): DeviceId =>
  (`0${name}`.repeat(16) + (isOther ? 'ff' : `0${name}`).repeat(16)) as DeviceId

/** The commits in a text such as `a2 b1?`. */
const commitsOf = (names: string): NamedCommit[] =>
  names
    .split(' ')
    .filter((name) => name !== '')
    .map(([by, seq, isOther]) => {
      const prefix = isOther ? 'ff'.repeat(8) : prefixOf(by!, Number(seq))
      return new NamedCommit(session(by!), Number(seq), prefix)
    })

interface Opened {
  readonly device: DeviceId
  readonly parents: readonly Tip[]
}

/** The sessions of bodies, and of the parents that these have. */
function openedBy(begun: Sessions, bodies: readonly Written[]): ReadonlyMap<SessionId, Opened> {
  const names = new Set([...bodies.map(([by]) => by), ...Object.keys(begun)])
  return new Map(
    [...names].sort().map((name) => {
      const { device, parents } = begun[name] ?? { device: name, parents: '' }
      const tips = commitsOf(parents).map((commit): Tip => ({ ...placeOf(commit), mark: noMark }))
      return [session(name), { device: deviceId(device), parents: tips }]
    }),
  )
}

const placeOf = ({ session: of, seq }: NamedCommit): { session: SessionId; seq: number } => ({
  session: of,
  seq,
})
const noMark = '00'.repeat(16) as Tip['mark']

function bodiesOf(begun: Sessions, written: readonly Written[]): Body[] {
  const opened = openedBy(begun, written)
  const lineages = new Lineages((of) => opened.get(of))
  return written.map(([by, seq, ms, names, ops, generation]) => {
    const of = session(by)
    const { device } = opened.get(of)!
    const lineage = lineages.opening(opened.get(of)!)
    return {
      origin: { device, session: of, seq, time: { ms, counter: 0 }, lineage },
      prefix: prefixOf(by, seq),
      bytes: encodeCanonical(
        'whole' in ops
          ? ops.whole
          : [
              commitsToValue(commitsOf(names)),
              [...ops],
              ...(generation === undefined ? [] : [generation]),
            ],
      ),
    }
  })
}

/** The bodies that can come first: those that are first in their session, and of which no commit that they cover is missing. */
const firstOf = (bodies: readonly Body[]): readonly Body[] =>
  bodies.filter(({ origin }) =>
    bodies.every(({ origin: { session: of, seq } }) =>
      of === origin.session ? seq >= origin.seq : !origin.lineage!.covers(of, seq),
    ),
  )

/** All orders in which bodies can come. */
function orders(bodies: readonly Body[]): readonly Body[][] {
  if (bodies.length === 0) return [[]]
  return firstOf(bodies).flatMap((body) =>
    orders(bodies.filter((each) => each !== body)).map((rest) => [body, ...rest]),
  )
}

test.each(cases)('$shape.kind: $what', async (each) => {
  const { shape, sessions = {}, bodies, state, exists = true, incomplete = false } = each
  for (const order of orders(bodiesOf(sessions, bodies))) {
    const folded = await nativeModel(shape).open(undefined)
    for (const body of order) folded.fold([body])
    expect(folded.mirror).toEqual(state)
    expect(folded.exists).toBe(exists)
    expect(folded.skipped !== undefined).toBe(incomplete)
  }
})

/** What a vector says of the sessions and the bodies. */
const given = (begun: Sessions, written: readonly Written[]): object => ({
  sessions: [...openedBy(begun, written)].map(([of, { device, parents }]) => ({
    session: of,
    device,
    parents: parents.map((tip) => [tip.session, tip.seq]),
  })),
  bodies: bodiesOf(begun, written).map(({ origin: { session: of, seq, time }, prefix, bytes }) => ({
    session: of,
    seq,
    time: [time.ms, time.counter],
    prefix,
    body: toHex(bytes),
  })),
})

const names = 'abcde'.split('')
const refs = fc.uniqueArray(fc.nat(5), { maxLength: 3 })
const element = fc.constantFrom('x', 'y')
const generation = fc.constantFrom<readonly number[]>([], [], [], [1], [2], [most], [0])
const removed = fc.oneof({ arbitrary: refs, weight: 3 }, fc.constant(null))
const withGeneration = (op: fc.Arbitrary<readonly unknown[]>): fc.Arbitrary<Value> =>
  fc.tuple(op, generation).map(([list, last]) => [...list, ...last] as Value)
const ops = {
  register: fc.tuple(fc.constant(0), fc.string({ maxLength: 2 }), refs),
  set: fc.oneof(
    withGeneration(fc.tuple(fc.constant(1), element)),
    withGeneration(fc.tuple(fc.constant(2), element, removed)),
  ),
  counter: fc.integer({ min: -9, max: 9 }),
}
const inMap = (op: fc.Arbitrary<Value>): fc.Arbitrary<Value> =>
  fc.oneof(
    { arbitrary: withGeneration(fc.tuple(fc.constant(3), element, op)), weight: 3 },
    withGeneration(fc.tuple(fc.constant(4), element, removed)),
    withGeneration(fc.tuple(fc.constant(5), element)),
  )
const spot = fc.oneof(fc.constant([]), {
  arbitrary: fc.tuple(fc.nat(1), fc.integer({ min: -3, max: 5 }), fc.nat(3)),
  weight: 3,
})
const id = fc.tuple(fc.integer({ min: -3, max: 5 }), fc.nat(3))
const inList = (op: fc.Arbitrary<Value>): fc.Arbitrary<Value> =>
  fc.oneof(
    { arbitrary: spot.map((at): Value => [10, ...at]), weight: 3 },
    fc.tuple(op, id).map(([inner, of]): Value => [11, inner, ...of]),
    fc.tuple(refs, id, spot).map(([list, of, at]): Value => [12, list, ...of, ...at]),
    fc.tuple(removed, id).map(([list, of]): Value => [13, list, ...of]),
  )
const nodeName = fc.tuple(fc.integer({ min: -3, max: 5 }), fc.nat(3))
const parentName = fc.oneof(fc.constant(null), { arbitrary: nodeName, weight: 3 })
const rank = fc.constantFrom<readonly number[]>([0, 0], [0, 0], [0, 1], [5, 0], [0, 7, 0, 1, 0, 0])
const inTree = (op: fc.Arbitrary<Value>): fc.Arbitrary<Value> =>
  fc.oneof(
    { arbitrary: fc.tuple(fc.constant(15), parentName, rank), weight: 4 },
    { arbitrary: fc.tuple(fc.constant(16), nodeName, parentName, rank, refs), weight: 3 },
    fc.tuple(fc.constant(17), nodeName, op),
    fc.tuple(fc.constant(18), nodeName, removed),
    fc.tuple(fc.constant(19), nodeName),
  )
const fields = { r: register('initial'), c: counter(), s: set() }
const fieldOps = fc.oneof(
  fc.tuple(fc.constant('r'), ops.register),
  fc.tuple(fc.constant('c'), ops.counter),
  fc.tuple(fc.constant('s'), ops.set),
  fc.tuple(fc.constant('undeclared'), fc.constantFrom<Value>(null, [2], ['x', [4, 1]])),
)
const random: readonly [string, Shape, fc.Arbitrary<Value>][] = [
  ['register', register('initial'), ops.register],
  ['set', set(), ops.set],
  ['counter', counter(), ops.counter],
  ['record', record(fields), fieldOps],
  ['map of registers', map(register('')), inMap(ops.register)],
  ['map of counters', map(counter()), inMap(ops.counter)],
  ['map of sets', map(set()), inMap(ops.set)],
  ['map of records', map(record(fields)), inMap(fieldOps)],
  ['map of maps', map(map(counter())), inMap(inMap(ops.counter))],
  ['list of registers', list(register('')), inList(ops.register)],
  ['tree of registers', tree(register('')), inTree(ops.register)],
  ['tree of trees in a map', map(tree(tree(counter()))), inMap(inTree(inTree(ops.counter)))],
  ['list of maps of lists', list(map(list(counter()))), inList(inMap(inList(ops.counter)))],
  ...smallRandom,
]
/** Ops of other kinds, and ops that break a rule. */
const strange = fc.constantFrom<Value>(
  7,
  0.5,
  [0, 'v', []],
  [0, 'v', [9]],
  [0, 'v', [], null],
  [0, 'v', [9], 0.5],
  [1, 'x', 1, 1],
  [3, 'x', [1, 'y', []]],
  [3, 'x', [1, 'y']],
  [3, 4, 5],
  [3, 'x', 5, 0],
  [3, 'x', [9]],
  [4, 'x', ['y', []]],
  [4, 'x', null, most],
  [5, 'x', 0.5],
  [6, 'x'],
  [6, []],
  ['r', [6, null]],
  [21, [9]],
  [23, 'x'],
  [24, 0],
  [25, 'v', 1],
  [26, -1],
  [27, new Uint8Array(1)],
  ['r', 1],
  ['c', [0, 'v', [9]]],
  ['r', 1, 1],
  [1, null],
  new Uint8Array(2),
  null,
)
/** A body at random. */
interface Draw {
  readonly by: string
  readonly ms: number
  readonly names: readonly (readonly [by: string, seq: number, luck: number])[]
  readonly ops: readonly Value[]
  readonly generation: number | undefined
}
/** Changes of an entity, deletions of it, and bodies that only touch it. */
const withDeletions = (changes: fc.Arbitrary<readonly Value[]>): fc.Arbitrary<readonly Value[]> =>
  fc.oneof(
    { arbitrary: changes, weight: 4 },
    { arbitrary: fc.tuple(removed.map((list): Value => [6, list])), weight: 2 },
    fc.constant([]),
  )
/** Each session has the device of one of the first, and parents among the sessions before it. */
const begun: fc.Arbitrary<Sessions> = fc
  .tuple(
    ...names.map((_, i) =>
      fc.record({
        device: fc.constantFrom('a', 'b'),
        parents: fc.array(fc.tuple(fc.nat(Math.max(0, i - 1)), fc.integer({ min: 1, max: 3 })), {
          maxLength: i === 0 ? 0 : 2,
        }),
      }),
    ),
  )
  .map((list) =>
    Object.fromEntries(
      list.map(({ device, parents }, i) => [
        names[i]!,
        { device, parents: parents.map(([at, seq]) => `${names[at]}${seq}`).join(' ') },
      ]),
    ),
  )

test.each(random)(
  'bodies that are folded in any order give the state that the definition gives: %s',
  async (_, shape, op) => {
    const named = fc.tuple(fc.constantFrom(...names), fc.integer({ min: 1, max: 4 }), fc.nat(3))
    const changes = fc.array(
      fc.oneof({ arbitrary: op, weight: 9 }, { arbitrary: strange, weight: 1 }),
      { minLength: 1, maxLength: 3 },
    )
    const writtenAs = (
      made: fc.Arbitrary<readonly Value[]>,
      generations: fc.Arbitrary<number | undefined>,
    ): fc.Arbitrary<readonly Draw[]> =>
      fc.array(
        fc.record({
          by: fc.constantFrom(...names),
          ms: fc.nat(4),
          names: fc.array(named, { minLength: 6, maxLength: 6 }),
          ops: made,
          generation: generations,
        }),
        { maxLength: 12 },
      )
    const written = fc.oneof(
      writtenAs(changes, fc.constant(undefined)),
      writtenAs(withDeletions(changes), fc.constant(undefined)),
      writtenAs(withDeletions(changes), fc.constantFrom(undefined, undefined, 1, 1, 2, most, 0)),
    )
    await fc.assert(
      fc.asyncProperty(
        begun,
        written,
        fc.infiniteStream(fc.nat()),
        async (sessions, list, choice) => {
          const all = list.map(({ by, ms, names: others, ops: made, generation }, i): Written => {
            const seq = list.slice(0, i + 1).filter((each) => each.by === by).length
            // One in four prefixes is wrong; a body never names its own session.
            const refs = others.map(([other, at, luck]) => {
              const another = other === by ? 'f' : other
              return `${another}${at}${luck === 0 ? '?' : ''}`
            })
            return [by, seq, ms, refs.join(' '), made, generation]
          })
          const state = await nativeModel(shape).open(undefined)
          const left = bodiesOf(sessions, all)
          while (left.length > 0) {
            const first = firstOf(left)
            const next = first[choice.next().value! % first.length]!
            left.splice(left.indexOf(next), 1)
            state.fold([next])
          }
          const { mirror, exists, skipped } = state
          const expected = stateOf({ shape, ...given(sessions, all) })
          expect({ state: mirror, exists, incomplete: skipped !== undefined }).toEqual(expected)
        },
      ),
      { numRuns: 100 },
    )
  },
)

test('the vectors of states are what they were', () => {
  const computed = cases.map(
    ({ what, shape, sessions = {}, bodies, state, exists = true, incomplete = false }) => ({
      what,
      shape,
      ...given(sessions, bodies),
      state,
      exists,
      incomplete,
    }),
  )
  const text = JSON.stringify(computed, null, 2) + '\n'
  if (process.env['UPDATE_VECTORS']) writeFileSync(file, text)
  expect(text).toBe(readFileSync(file, 'utf8'))
})
