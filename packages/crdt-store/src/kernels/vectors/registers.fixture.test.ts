import { counter, multiValueRegister, record, register, type Json } from '@peerplane/core'

import { afterA, nested, write, type Case } from './case.fixture.test.ts'

export const registers: readonly Case[] = [
  {
    what: 'a register shows its initial value if nobody has written to it',
    shape: record({ title: register('none'), votes: counter() }),
    bodies: [['a', 1, 1, '', [['votes', 1]]]],
    state: { title: 'none', votes: 1 },
  },
  {
    what: 'bytes are a byte string in an op, and shown in a form of JSON; no map may have this form',
    shape: register(''),
    bodies: [
      ['a', 1, 1, '', [write({ photo: Uint8Array.of(0, 255), of: [new Uint8Array(0)] })]],
      ['b', 1, 2, '', [write({ $bytes: 'AP8' })]],
      ['c', 1, 3, '', [write([{ $bytes: '' }])]],
    ],
    state: { photo: { $bytes: 'AP8' }, of: [{ $bytes: '' }] },
  },
  {
    what: 'a map that only resembles the form of bytes is a map',
    shape: multiValueRegister(0),
    bodies: [
      ['a', 1, 1, '', [[25, { $bytes: 'AP9' }, []]]],
      ['b', 1, 2, '', [[25, { $bytes: 'AA==' }, []]]],
      ['c', 1, 3, '', [[25, { $bytes: 'AA', more: 1 }, []]]],
      ['d', 1, 4, '', [[25, { $bytes: 1 }, []]]],
    ],
    state: [{ $bytes: 1 }, { $bytes: 'AA', more: 1 }, { $bytes: 'AA==' }, { $bytes: 'AP9' }],
  },
  {
    what: 'bytes count as a level of a value',
    shape: register<Json>(''),
    bodies: [
      ['a', 1, 1, '', [write(nested(31, [Uint8Array.of(1)]))]],
      ['b', 1, 2, '', [write(nested(32, [Uint8Array.of(1)]))]],
    ],
    state: nested(31, [{ $bytes: 'AQ' }]) as Json,
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
    what: 'a write comes after those of its session, also if its time is earlier',
    shape: register(''),
    bodies: [
      ['a', 1, 9, '', [write('fast clock')]],
      ['a', 2, 1, '', [write('slow clock')]],
    ],
    state: 'slow clock',
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
    what: 'of the sessions of one device without parents, the one with the latest start counts',
    shape: register(''),
    sessions: {
      a: { device: 'a', parents: '', start: 3 },
      b: { device: 'a', parents: '', start: 9 },
      c: { device: 'a', parents: '', start: 6 },
    },
    bodies: [
      ['a', 1, 3, '', [write('a')]],
      ['b', 1, 1, '', [write('b')]],
      ['c', 1, 6, '', [write('c')]],
    ],
    state: 'b',
  },
  {
    what: 'a superseded write keeps out the earlier writes of its device',
    shape: register(''),
    sessions: { a: { device: 'a', parents: '', start: 1 }, b: { device: 'a', parents: '' } },
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
    sessions: { a: { device: 'a', parents: '', start: 1 }, b: { device: 'a', parents: '' } },
    bodies: [
      ['a', 1, 9, '', [write('latest')]],
      ['b', 1, 5, '', [write('earlier')]],
      ['c', 1, 1, 'b1', [write('c', [0])]],
    ],
    state: 'latest',
  },
  {
    what: 'a write of a session with a later start comes after those of its device, whatever the times say',
    shape: register(''),
    sessions: afterA,
    bodies: [
      ['a', 1, 9, '', [write('before')]],
      ['b', 1, 1, '', [write('after')]],
    ],
    state: 'after',
  },
  {
    what: 'a write after the restore of an old copy is later than those of the sessions that the copy lacks',
    shape: register(''),
    sessions: {
      ...afterA,
      c: { device: 'a', parents: 'b1', start: 2 },
      d: { device: 'a', parents: 'a1', start: 3 },
    },
    bodies: [
      ['a', 1, 9, '', [write('kept')]],
      ['b', 1, 1, '', [write('lost')]],
      ['c', 1, 11, '', [write('lost, too')]],
      ['d', 1, 8, '', [write('after the restore')]],
    ],
    state: 'after the restore',
  },
  {
    what: 'of two sessions with the same start, the one with the greater id comes after the other',
    shape: register(''),
    sessions: {
      b: { device: 'a', parents: '', start: 9 },
      c: { device: 'a', parents: '', start: 9 },
    },
    bodies: [
      ['b', 1, 3, '', [write('of b')]],
      ['c', 1, 2, '', [write('of c')]],
      ['c', 2, 1, '', [write('of c, later')]],
    ],
    state: 'of c, later',
  },
  {
    what: 'starts do not count between devices',
    shape: register(''),
    sessions: { b: { device: 'b', parents: '', start: 9 } },
    bodies: [
      ['a', 1, 5, '', [write('of a')]],
      ['b', 1, 1, '', [write('of b')]],
    ],
    state: 'of a',
  },
  {
    what: 'a name counts for another session of the same device, too',
    shape: register(''),
    sessions: { a: { device: 'a', parents: '', start: 1 }, b: { device: 'a', parents: '' } },
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
    sessions: { a: { device: 'a', parents: '', start: 1 }, b: { device: 'a+', parents: '' } },
    bodies: [
      ['a', 1, 9, '', [write('named')]],
      ['b', 1, 5, '', [write('kept out')]],
      ['c', 1, 1, 'a1', [write('shown', [0])]],
    ],
    state: 'shown',
  },
]
