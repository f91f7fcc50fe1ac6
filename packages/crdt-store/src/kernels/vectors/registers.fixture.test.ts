import { counter, record, register } from '@peerplane/core'

import { afterA, write, type Case } from './case.fixture.test.ts'

export const registers: readonly Case[] = [
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
