import { counter, list, map, register, type Json } from '@peerplane/core'

import { write, inA, inB, type Written, type Case } from './case.fixture.test.ts'

const item = (key: string, value = 'none'): Json => ({ key, value })
const texts = list(register('none'))
const abc: Written = ['a', 1, 1, '', [[10], [10, 1, -1, 0], [10, 1, -1, 1]]]

export const lists: readonly Case[] = [
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
