import { register, tree, type Json, type Value } from '@peerplane/core'

import { inA, inB, type Case } from './case.fixture.test.ts'

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

export const trees: readonly Case[] = [
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
