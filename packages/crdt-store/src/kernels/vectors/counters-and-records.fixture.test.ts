import { counter, record, register, set } from '@peerplane/core'

import { most, write, type Case } from './case.fixture.test.ts'

export const countersAndRecords: readonly Case[] = [
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
