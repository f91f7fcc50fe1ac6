import { map, text } from '@peerplane/core'

import type { Case, Written } from './case.fixture.test.ts'

const abc: Written = ['a', 1, 1, '', [[30, 'abc']]]

export const texts: readonly Case[] = [
  {
    what: 'what two sessions insert at one place is in the order of the sessions, each in a piece',
    shape: text(),
    bodies: [
      abc,
      [
        'a',
        2,
        2,
        '',
        [
          [30, 'one', 0, -2, 1],
          [30, ' two', 1, -1, 2],
        ],
      ],
      ['b', 1, 1, 'a1', [[30, 'three', 0, 0, 1]]],
    ],
    state: 'aone twothreebc',
  },
  {
    what: 'a range deletes the characters of one session between two, and none that others insert there',
    shape: text(),
    bodies: [
      abc,
      ['a', 2, 1, '', [[30, 'def', 1, -2, 2]]],
      ['b', 1, 1, 'a1 a2', [[31, 0, 1, 1, 0]]],
      ['c', 1, 1, 'a1', [[30, '-', 0, 0, 2]]],
    ],
    state: 'a-ef',
  },
  {
    what: 'characters that two devices delete are deleted once, and what stands beside them stays',
    shape: text(),
    bodies: [
      abc,
      ['a', 2, 1, '', [[31, -2, 0, -2, 1]]],
      [
        'b',
        1,
        1,
        'a1',
        [
          [31, 0, 1, 0, 2],
          [30, 'x', 1, 0, 1],
          [30, 'y', 0, 0, 2],
        ],
      ],
    ],
    state: 'yx',
  },
  {
    what: 'offsets count all that a commit inserts into one text, and not what it inserts into another',
    shape: map(text()),
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [3, 'p', [30, 'ab']],
          [3, 'q', [30, 'cd']],
          [3, 'p', [30, 'ef', 0, -1, 0]],
        ],
      ],
      [
        'b',
        1,
        1,
        'a1',
        [
          [3, 'p', [31, 0, 1, 0, 2]],
          [3, 'q', [30, '!', 1, 0, 1]],
        ],
      ],
    ],
    state: { p: 'fa', q: 'cd!' },
  },
  {
    what: 'a text beside a character that does not come is shown last, and so is what follows it',
    shape: text(),
    bodies: [
      [
        'b',
        1,
        1,
        'a1? a1',
        [
          [30, 'lost', 1, 0, 0],
          [30, '!', 0, -1, 3],
          [30, 'x', 1, 1, 7],
        ],
      ],
      abc,
    ],
    state: 'abclost!x',
  },
  {
    what: 'a range takes effect only if both ends exist, in this order, and belong to one session',
    shape: text(),
    bodies: [
      abc,
      [
        'b',
        1,
        1,
        'a1 a1? a2',
        [
          [30, 'z'],
          [31, 2, 1, 0, 0, 0, 0, 0, 3, 1, 0, 0, 1, 0, 0, -1, 0, 0, 1, 2, 0],
        ],
      ],
      [
        'a',
        2,
        1,
        '',
        [
          [30, 'd', 1, -2, 2],
          [30, 'e', 1, -1, 0],
        ],
      ],
    ],
    state: 'aez',
  },
  {
    what: 'a text beside a character that its session has not inserted is after the root',
    shape: text(),
    bodies: [
      abc,
      [
        'a',
        2,
        1,
        '',
        [
          [30, 'x', 0, -2, 3],
          [30, 'y', 1, -1, 1],
          [31, -1, 0, -1, 2],
        ],
      ],
    ],
    state: 'abcxy',
  },
  {
    what: 'the halves of a surrogate pair that an op parts are shown as replacement characters',
    shape: text(),
    bodies: [
      ['a', 1, 1, '', [[30, 'a\u{1f44d}b']]],
      ['b', 1, 1, 'a1', [[30, '-', 0, 0, 2]]],
    ],
    state: 'a\ufffd-\ufffdb',
  },
  {
    what: 'an insertion keeps the entry around the text, and a deletion does not',
    shape: map(text()),
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [3, 'p', [30, 'ab']],
          [3, 'q', [30, 'cd']],
        ],
      ],
      [
        'b',
        1,
        1,
        'a1',
        [
          [4, 'p', [0]],
          [4, 'q', [0]],
        ],
      ],
      [
        'a',
        2,
        2,
        '',
        [
          [3, 'p', [31, -2, 0, -2, 0]],
          [3, 'q', [30, 'x', 0, -2, 0]],
        ],
      ],
    ],
    state: { q: 'xcd' },
  },
  {
    what: 'a body is void if an op on a text breaks a rule',
    shape: text(),
    bodies: [
      abc,
      ['a', 2, 1, '', [[30, '']]],
      ['a', 3, 1, '', [[30, 7]]],
      ['a', 4, 1, '', [[30, 'x', 2, -1, 0]]],
      ['a', 5, 1, '', [[30, 'x', 0, -1]]],
      ['a', 6, 1, '', [[31, -6, 0, -6]]],
      ['a', 7, 1, '', [[30, 'x', 0, -8, 0]]],
      ['a', 8, 1, '', [[31, -8, 0.5, -8, 1]]],
    ],
    state: 'abc',
  },
]
