import { counter, list, map, record, register, type Value } from '@peerplane/core'

import { most, type Case } from './case.fixture.test.ts'

const card = record({ title: register('none'), votes: counter() })
const initial = { title: 'none', votes: 0 }
const votes = (by: number): readonly Value[] => [['votes', by]]
const title = (text: string): readonly Value[] => [['title', [0, text, []]]]
const remove = (...names: readonly number[]): readonly Value[] => [[6, names]]
const close: readonly Value[] = [[6, null]]

const deletions: readonly Case[] = [
  {
    what: 'a change that the deletion of an entity does not name keeps the whole entity',
    shape: card,
    bodies: [
      ['a', 1, 1, '', [...title('kept'), ...votes(1)]],
      ['b', 1, 2, 'a1', remove(0)],
      ['c', 1, 3, '', votes(2)],
    ],
    state: { title: 'kept', votes: 3 },
  },
  {
    what: 'a deletion supersedes the touches that it names, and those of its own session',
    shape: card,
    bodies: [
      ['a', 1, 1, '', votes(1)],
      ['b', 1, 2, '', votes(2)],
      ['b', 2, 3, 'a1', remove(0)],
    ],
    state: initial,
    exists: false,
  },
  {
    what: 'a deletion supersedes the touches that its session covers, without naming them',
    shape: card,
    sessions: { b: { device: 'a', parents: 'a1' } },
    bodies: [
      ['a', 1, 1, '', votes(1)],
      ['b', 1, 2, '', remove()],
    ],
    state: initial,
    exists: false,
  },
  {
    what: 'a deletion does not supersede a touch that it names with another prefix',
    shape: card,
    bodies: [
      ['a', 1, 1, '', votes(1)],
      ['b', 1, 2, 'a1?', remove(0)],
    ],
    state: { title: 'none', votes: 1 },
  },
  {
    what: 'a touch supersedes the earlier touches of its session: a deletion need not name them',
    shape: card,
    bodies: [
      ['a', 1, 1, '', votes(1)],
      ['a', 2, 2, '', votes(2)],
      ['b', 1, 3, 'a2', remove(0)],
    ],
    state: initial,
    exists: false,
  },
  {
    what: 'a body whose ops are all removals does not keep an entity',
    shape: map(counter()),
    bodies: [
      ['a', 1, 1, '', [[3, 'x', 1]]],
      ['b', 1, 2, 'a1', remove(0)],
      [
        'c',
        1,
        3,
        '',
        [
          [4, 'x', []],
          [4, 'y', null],
        ],
      ],
    ],
    state: {},
    exists: false,
  },
  {
    what: 'a body with a removal and a change keeps an entity',
    shape: map(counter()),
    bodies: [
      ['a', 1, 1, '', [[3, 'x', 1]]],
      ['b', 1, 2, 'a1', remove(0)],
      [
        'c',
        1,
        3,
        '',
        [
          [4, 'y', []],
          [5, 'z'],
        ],
      ],
    ],
    state: { x: 1, z: 0 },
  },
  {
    what: 'a body without ops keeps an entity',
    shape: card,
    bodies: [
      ['a', 1, 1, '', votes(1)],
      ['b', 1, 2, 'a1', remove(0)],
      ['c', 1, 3, '', []],
    ],
    state: { title: 'none', votes: 1 },
  },
  {
    what: 'a body of another kind keeps an entity, although it has no other effect',
    shape: card,
    bodies: [
      ['a', 1, 1, '', votes(1)],
      ['b', 1, 2, 'a1', remove(0)],
      ['c', 1, 3, '', [[1, 'x']]],
    ],
    state: { title: 'none', votes: 1 },
    incomplete: true,
  },
  {
    what: 'an op of another kind that has the form of a removal keeps no entity',
    shape: card,
    bodies: [
      ['a', 1, 1, '', votes(1)],
      ['b', 1, 2, 'a1', remove(0)],
      ['c', 1, 3, '', [[2, 'x', []]]],
    ],
    state: initial,
    exists: false,
    incomplete: true,
  },
  {
    what: 'bodies of a document and of a single writer touch the entity in their generation',
    shape: counter(),
    bodies: [
      ['a', 1, 1, '', { whole: [new Uint8Array(1), { x: 7 }, new Uint8Array(9)] }],
      ['b', 1, 2, '', { whole: [2, 'value'] }],
      ['c', 1, 3, 'a1 b1', remove(0, 1)],
    ],
    state: 0,
    exists: false,
    incomplete: true,
  },
  {
    what: 'bodies of a document and of a single writer begin a generation',
    shape: counter(),
    bodies: [
      ['a', 1, 1, '', [7]],
      ['b', 1, 2, '', { whole: [new Uint8Array(1), 1] }],
      ['c', 1, 3, '', { whole: [3, [], 1, 0, 7, [], 2] }],
      ['a', 2, 4, '', [8], 1],
    ],
    state: 0,
    incomplete: true,
  },
  {
    what: 'a body of a document or of a single writer is void if its generation is no generation',
    shape: counter(),
    bodies: [
      ['a', 1, 1, '', [7]],
      ['b', 1, 2, '', { whole: [new Uint8Array(1), 0] }],
      ['c', 1, 3, '', { whole: [1, ['added', 1], 0.5] }],
      ['d', 1, 4, '', { whole: [3, [], 1, 0, 7, [], 'x'] }],
    ],
    state: 7,
  },
]

const generations: readonly Case[] = [
  {
    what: 'the next generation of an entity begins in the initial state, and bodies of smaller ones have no effect, whenever they come',
    shape: card,
    bodies: [
      ['a', 1, 9, '', title('old')],
      ['a', 2, 2, '', remove()],
      ['a', 3, 3, '', votes(2), 1],
      ['b', 1, 4, '', votes(5)],
    ],
    state: { title: 'none', votes: 2 },
  },
  {
    what: 'a register of an entity keeps the writes of its generation only',
    shape: register('none'),
    bodies: [
      ['a', 1, 9, '', [[0, 'old', []]]],
      ['a', 2, 2, '', [[0, 'new', []]], 1],
      ['b', 1, 8, '', [[0, 'late', []]]],
    ],
    state: 'new',
  },
  {
    what: 'a deletion of a higher generation begins it, so that the entity is gone',
    shape: card,
    bodies: [
      ['a', 1, 1, '', votes(1)],
      ['b', 1, 2, '', remove(), 1],
    ],
    state: initial,
    exists: false,
  },
  {
    what: 'a deletion names touches of its own generation',
    shape: card,
    bodies: [
      ['a', 1, 1, '', votes(1), 1],
      ['b', 1, 2, 'a1', remove(0)],
      ['c', 1, 3, 'a1', remove(0), 2],
      ['c', 2, 4, '', votes(4), 2],
    ],
    state: { title: 'none', votes: 4 },
  },
  {
    what: 'a closed generation of an entity ends for ever, also against changes that its author has not seen',
    shape: card,
    bodies: [
      ['a', 1, 1, '', votes(1)],
      ['b', 1, 2, '', close],
      ['c', 1, 3, '', votes(2)],
    ],
    state: initial,
    exists: false,
  },
  {
    what: 'after a closed generation, a higher one begins in the initial state',
    shape: card,
    bodies: [
      ['a', 1, 1, '', votes(1)],
      ['b', 1, 2, '', close],
      ['b', 2, 3, '', votes(4), 1],
      ['c', 1, 4, '', votes(2)],
    ],
    state: { title: 'none', votes: 4 },
  },
  {
    what: 'the last generation of an entity cannot be closed: a body that closes it is void',
    shape: card,
    bodies: [
      ['a', 1, 1, '', votes(1), most],
      ['a', 2, 2, '', close, most],
      ['b', 1, 3, '', votes(2), most],
    ],
    state: { title: 'none', votes: 3 },
  },
  {
    what: 'in the last generation, a touch brings a deleted entity back',
    shape: card,
    bodies: [
      ['a', 1, 1, '', votes(1), most],
      ['a', 2, 2, '', remove(), most],
      ['a', 3, 3, '', votes(2), most],
    ],
    state: { title: 'none', votes: 3 },
  },
  {
    what: 'a position next to one of an earlier generation of the entity is at the root',
    shape: list(register('')),
    bodies: [
      ['a', 1, 1, '', [[10]]],
      ['a', 2, 2, '', [[10, 1, -2, 0]], 1],
    ],
    state: [{ key: `${Buffer.alloc(16, 10).toString('base64url')}2.0`, value: '' }],
  },
  {
    what: 'a body of a smaller generation is judged like any other: it can be of another kind',
    shape: card,
    bodies: [
      ['a', 1, 1, '', votes(1), 1],
      ['b', 1, 2, '', [[1, 'x']]],
    ],
    state: { title: 'none', votes: 1 },
    incomplete: true,
  },
]

const voids: readonly Case[] = [
  {
    what: 'a body is void if it deletes the entity and has another op',
    shape: card,
    bodies: [
      ['a', 1, 1, '', votes(1)],
      ['a', 2, 2, '', [...remove(), ...votes(2)]],
      ['b', 1, 3, '', [...votes(4), ...close]],
      ['c', 1, 4, '', [...close, ...close]],
    ],
    state: { title: 'none', votes: 1 },
  },
  {
    what: 'a body is void if a deletion in it does not have two items, names what is not listed, or is inside of another op',
    shape: card,
    bodies: [
      ['a', 1, 1, '', votes(1)],
      ['a', 2, 2, '', [[6]]],
      ['a', 3, 3, '', [[6, [], 1]]],
      ['a', 4, 4, 'b1', remove(1)],
      ['a', 5, 5, '', [[6, 0]]],
      ['a', 6, 6, '', [['votes', [6, null]]]],
    ],
    state: { title: 'none', votes: 1 },
  },
  {
    what: 'a body is void if its generation is no integer from 1, or if it has a fourth item',
    shape: card,
    bodies: [
      ['a', 1, 1, '', votes(1)],
      ...[0, -1, 0.5, 2 ** 53, '1', null, []].map(
        (generation, i) => ['a', i + 2, 2, '', votes(2), generation] as const,
      ),
      ['a', 9, 3, '', { whole: [[], [], 1, 1] }],
    ],
    state: { title: 'none', votes: 1 },
  },
  {
    what: 'an entity of which all bodies are void does not exist',
    shape: card,
    bodies: [['a', 1, 1, '', votes(0.5)]],
    state: initial,
    exists: false,
  },
]

export const entities: readonly Case[] = [...deletions, ...generations, ...voids]
