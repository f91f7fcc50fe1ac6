import { counter, map, record, register, set, type Value } from '@peerplane/core'

import { most, shelf, afterA, write, type Case } from './case.fixture.test.ts'

const twoChanges: readonly Value[] = [
  [3, 'k', ['title', write('lunch')]],
  [3, 'k', ['votes', 2]],
]

export const maps: readonly Case[] = [
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
