import { counter, map, record, register, set, type Value } from '@peerplane/core'

import { nested, tooDeep, shelf, write, type Case } from './case.fixture.test.ts'

/** Ops of other kinds, and bodies that break a rule. */
export const otherKinds: readonly Case[] = [
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
      ['b', 1, 2, '', { whole: [new Uint8Array(2), 7, [write('x')]] }],
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
      ['b', 1, 1, '', { whole: [2, 5, 1, 1] }],
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
      ['an element that is no value', [1, { $bytes: 'AA' }]],
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
