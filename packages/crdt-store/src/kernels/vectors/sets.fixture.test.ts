import { set } from '@peerplane/core'

import { afterA, type Case } from './case.fixture.test.ts'

export const sets: readonly Case[] = [
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
    what: 'bytes are elements of a set, in the order of their canonical bytes',
    shape: set(),
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [1, Uint8Array.of(2, 1)],
          [1, [1]],
          [1, Uint8Array.of(9)],
          [1, 'x'],
          [1, Uint8Array.of(7)],
        ],
      ],
      ['a', 2, 2, '', [[2, Uint8Array.of(7), []]]],
    ],
    state: ['x', { $bytes: 'CQ' }, { $bytes: 'AgE' }, [1]],
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
