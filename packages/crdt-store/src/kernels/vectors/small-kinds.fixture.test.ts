import {
  flag,
  growOnlyCounter,
  growOnlySet,
  map,
  multiValueRegister,
  register,
  set,
  vote,
  type Json,
} from '@peerplane/core'

import { most, afterA, type Case } from './case.fixture.test.ts'

export const reverse = { clock: 'reverse' } as const
export const custom = { clock: 'custom' } as const
const deviceA = `${'0a'.repeat(32)}`
const deviceB = `${'0b'.repeat(32)}`

const clocks: readonly Case[] = [
  {
    what: 'with the reverse clock, the earliest of concurrent writes is shown',
    shape: register('', reverse),
    bodies: [
      ['a', 1, 2, '', [[0, 'late', [], null]]],
      ['b', 1, 1, '', [[0, 'early', [], null]]],
    ],
    state: 'early',
  },
  {
    what: 'with the reverse clock, a write that names the earliest one supersedes it',
    shape: register('', reverse),
    bodies: [
      ['a', 1, 1, '', [[0, 'early', [], null]]],
      ['b', 1, 2, 'a1', [[0, 'named it', [0], null]]],
      ['c', 1, 3, '', [[0, 'latest', [], null]]],
    ],
    state: 'named it',
  },
  {
    what: 'with a custom clock, the greatest clock of concurrent writes is shown',
    shape: register('', custom),
    bodies: [
      ['a', 1, 1, '', [[0, 'five', [], 5]]],
      ['b', 1, 9, '', [[0, 'four', [], 4]]],
      ['c', 1, 8, '', [[0, 'zero', [], 0]]],
    ],
    state: 'five',
  },
  {
    what: 'of equal custom clocks, the latest write is shown, also at the last clock',
    shape: register('', custom),
    bodies: [
      ['a', 1, 2, '', [[0, 'late', [], most]]],
      ['b', 1, 1, '', [[0, 'early', [], most]]],
    ],
    state: 'late',
  },
  {
    what: 'a write with a smaller custom clock supersedes what it names',
    shape: register('', custom),
    bodies: [
      ['a', 1, 1, '', [[0, 'five', [], 5]]],
      ['b', 1, 1, 'a1', [[0, 'one', [0], 1]]],
    ],
    state: 'one',
  },
  {
    what: 'of the writes of one device the latest is kept, whatever its custom clock is',
    shape: register('', { clock: 'custom-auto-increment' }),
    sessions: afterA,
    bodies: [
      ['a', 1, 1, '', [[0, 'nine', [], 9]]],
      ['b', 1, 2, '', [[0, 'two', [], 2]]],
    ],
    state: 'two',
  },
  {
    what: 'a write with another clock is an op of another kind',
    shape: register('', custom),
    bodies: [
      ['a', 1, 1, '', [[0, 'custom', [], 1]]],
      ['b', 1, 9, '', [[0, 'default', []]]],
      ['c', 1, 9, '', [[0, 'reverse', [], null]]],
    ],
    state: 'custom',
    incomplete: true,
  },
  {
    what: 'a body with a broken custom clock is void, and one with another clock is not checked',
    shape: register('', custom),
    bodies: [
      ['a', 1, 1, '', [[0, 'kept', [], 0]]],
      ['b', 1, 9, '', [[0, 'void', [], 0.5]]],
      ['c', 1, 9, '', [[0, 'void', [], -1]]],
      ['d', 1, 9, '', [[0, new Uint8Array(1), [9]]]],
    ],
    state: 'kept',
    incomplete: true,
  },
]

const multiValues: readonly Case[] = [
  {
    what: 'a multi-value register shows its initial value if nobody has written to it',
    shape: map(multiValueRegister('none')),
    bodies: [['a', 1, 1, '', [[5, 'k']]]],
    state: { k: ['none'] },
  },
  {
    what: 'concurrent values are all shown, the latest first, and equal ones once',
    shape: multiValueRegister<Json>(''),
    bodies: [
      ['a', 1, 1, '', [[25, { x: [1], y: null }, []]]],
      ['b', 1, 3, '', [[25, { x: [1], y: null }, []]]],
      ['c', 1, 2, '', [[25, 'second', []]]],
    ],
    state: [{ x: [1], y: null }, 'second'],
  },
  {
    what: 'a write replaces the values that it names, and those of its device',
    shape: multiValueRegister(''),
    bodies: [
      ['a', 1, 1, '', [[25, 'a', []]]],
      ['b', 1, 9, '', [[25, 'b', []]]],
      ['b', 2, 10, 'a1', [[25, 'both', [0]]]],
      ['c', 1, 4, '', [[25, 'c', []]]],
    ],
    state: ['both', 'c'],
  },
]

const flags: readonly Case[] = [
  {
    what: 'a flag is off at first; enabling wins over a concurrent disabling',
    shape: map(flag()),
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [5, 'off'],
          [3, 'on', [20, []]],
        ],
      ],
      ['b', 1, 9, '', [[3, 'on', [21, []]]]],
    ],
    state: { off: false, on: true },
  },
  {
    what: 'disabling supersedes what it names',
    shape: flag(),
    bodies: [
      ['a', 1, 9, '', [[20, []]]],
      ['b', 1, 1, 'a1', [[21, [0]]]],
    ],
    state: false,
  },
  {
    what: 'where disabling wins, a flag is off as long as one kept op disables it',
    shape: flag({ wins: 'disable' }),
    bodies: [
      ['a', 1, 9, '', [[22, []]]],
      ['b', 1, 1, '', [[23, []]]],
    ],
    state: false,
  },
  {
    what: 'where disabling wins, enabling supersedes the disabling that it names',
    shape: flag({ wins: 'disable' }),
    bodies: [
      ['a', 1, 9, '', [[23, []]]],
      ['b', 1, 1, 'a1', [[22, [0]]]],
    ],
    state: true,
  },
  {
    what: 'the ops of a flag where disabling wins are of another kind',
    shape: flag(),
    bodies: [
      ['a', 1, 1, '', [[22, []]]],
      ['b', 1, 1, '', [[23, [7]]]],
    ],
    state: false,
    incomplete: true,
  },
]

const votes: readonly Case[] = [
  {
    what: 'each device has one vote, the one of its session with the latest start',
    shape: vote(),
    sessions: { ...afterA, c: { device: 'b', parents: '' } },
    bodies: [
      ['a', 1, 9, '', [[24, true]]],
      ['b', 1, 1, '', [[24, false]]],
      [
        'c',
        1,
        1,
        '',
        [
          [24, false],
          [24, true],
        ],
      ],
    ],
    state: { [deviceA]: false, [deviceB]: true },
  },
  {
    what: 'a vote is true or false',
    shape: vote(),
    bodies: [
      ['a', 1, 1, '', [[24, true]]],
      ['b', 1, 1, '', [[24, 1]]],
      ['c', 1, 1, '', [[24, true, []]]],
    ],
    state: { [deviceA]: true },
  },
]

const growing: readonly Case[] = [
  {
    what: 'increments of all sessions add up, and a body with a negative one is void',
    shape: growOnlyCounter(),
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [26, 2],
          [26, 3],
        ],
      ],
      [
        'b',
        1,
        1,
        '',
        [
          [26, 5],
          [26, -1],
        ],
      ],
      ['c', 1, 1, '', [[26, 0]]],
      ['d', 1, 1, '', [[26, 0.5]]],
    ],
    state: 5,
  },
  {
    what: 'a grow-only counter shows at most 2^53 - 1',
    shape: growOnlyCounter(),
    bodies: [
      ['a', 1, 1, '', [[26, most]]],
      ['b', 1, 1, '', [[26, most]]],
    ],
    state: most,
  },
  {
    what: 'a grow-only set has numbers, then texts, then other values in the order of their bytes',
    shape: growOnlySet<Json>(),
    bodies: [
      ['a', 1, 1, '', ['b', null, 7, [1, 0.5], { a: 1 }].map((each) => [27, each])],
      ['b', 1, 1, '', [true, -1.5, 'a', { a: 1 }, false, 1e300, []].map((each) => [27, each])],
    ],
    state: [-1.5, 7, 1e300, 'a', 'b', [], [1, 0.5], { a: 1 }, false, true, null],
  },
  {
    what: 'a body with an element that is no value is void',
    shape: growOnlySet<Json>(),
    bodies: [
      ['a', 1, 1, '', [[27, 'a']]],
      [
        'b',
        1,
        1,
        '',
        [
          [27, 'b'],
          [27, { $bytes: 'AA' }],
        ],
      ],
      ['c', 1, 1, '', [[27, 'c', []]]],
    ],
    state: ['a'],
  },
  {
    what: 'the elements of a set are values of any kind; a text is not the number that it shows',
    shape: set<Json>(),
    bodies: [
      ['a', 1, 1, '', ['7', 7, { a: [1], b: null }, true, null].map((each) => [1, each])],
      [
        'b',
        1,
        1,
        'a1',
        [
          [2, { b: null, a: [1] }, [0]],
          [2, null, [0]],
          [2, '7', [0]],
        ],
      ],
    ],
    state: [7, true],
  },
]

export const smallKinds: readonly Case[] = [
  ...clocks,
  ...multiValues,
  ...flags,
  ...votes,
  ...growing,
]
