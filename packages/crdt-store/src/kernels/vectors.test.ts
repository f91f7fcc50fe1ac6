import { readFileSync, writeFileSync } from 'node:fs'

import {
  counter,
  encodeCanonical,
  fromHex,
  map,
  register,
  set,
  toHex,
  type Body,
  type DeviceId,
  type Json,
  type SessionId,
  type Shape,
  type Value,
} from '@peerplane/core'
import { expect, test } from 'vitest'

import { nativeModel } from './native-model.ts'

/*
 * Which op supersedes which: docs/state-vectors.json holds bodies of concurrent commits, and the state that they make in every order. With
 * UPDATE_VECTORS=1 the test writes the file again; a change of it is a change of the protocol.
 */

const file = new URL('../../../../docs/state-vectors.json', import.meta.url)

const device = '0d'.repeat(32) as DeviceId
const session = (name: string): SessionId =>
  toHex(new Uint8Array(16).fill(parseInt(name, 16))) as SessionId

/** A body: its session, its seq, the milliseconds of its time, the sessions that it names, its ops. */
type Written = readonly [by: string, seq: number, ms: number, names: string, ops: readonly Value[]]

interface Case {
  readonly what: string
  readonly kind: string
  readonly shape: Shape
  readonly bodies: readonly Written[]
  readonly state: Json
}

const cases: readonly Case[] = [
  {
    what: 'of two concurrent writes, the later one is shown',
    kind: 'register',
    shape: register(''),
    bodies: [
      ['a', 1, 2, '', [[0, 'late', []]]],
      ['b', 1, 1, '', [[0, 'early', []]]],
    ],
    state: 'late',
  },
  {
    what: 'a write that names another supersedes it, whatever the clocks say',
    kind: 'register',
    shape: register(''),
    bodies: [
      ['a', 1, 2, '', [[0, 'before', []]]],
      ['b', 1, 1, 'a', [[0, 'after', [0, 1, 0]]]],
    ],
    state: 'after',
  },
  {
    what: 'a write supersedes the earlier one of its session, so that it need not be named',
    kind: 'register',
    shape: register(''),
    bodies: [
      [
        'a',
        1,
        9,
        '',
        [
          [0, 'one', []],
          [0, 'two', []],
        ],
      ],
      ['a', 2, 1, '', [[0, 'three', []]]],
      ['b', 1, 2, 'a', [[0, 'four', [0, 2, 0]]]],
    ],
    state: 'four',
  },
  {
    what: 'an addition wins against a deletion that has not seen it',
    kind: 'set',
    shape: set(),
    bodies: [
      ['a', 1, 1, '', [[1, 'x', []]]],
      ['a', 2, 2, '', [[2, 'x', []]]],
      ['b', 1, 1, '', [[1, 'x', []]]],
    ],
    state: ['x'],
  },
  {
    what: 'a deletion takes back what it names, and what its own session has added',
    kind: 'set',
    shape: set(),
    bodies: [
      [
        'a',
        1,
        1,
        '',
        [
          [1, 'x', []],
          [1, 'y', []],
        ],
      ],
      [
        'b',
        1,
        1,
        'a',
        [
          [1, 'x', []],
          [2, 'x', [0, 1, 0]],
        ],
      ],
    ],
    state: ['y'],
  },
  {
    what: 'increments add up; a removal takes back the total that it names, and that of its own session',
    kind: 'map of counters',
    shape: map(counter()),
    bodies: [
      ['a', 1, 1, '', [[3, 'k', 5]]],
      [
        'b',
        1,
        1,
        'a',
        [
          [3, 'k', 1],
          [4, 'k', [0, 1, 0, 5]],
        ],
      ],
      ['a', 2, 2, '', [[3, 'k', 2]]],
    ],
    state: { k: 2 },
  },
  {
    what: 'a body that names its own session has no effect',
    kind: 'register',
    shape: register(''),
    bodies: [
      ['a', 1, 1, '', [[0, 'one', []]]],
      ['a', 2, 2, 'a', [[0, 'two', [0, 1, 0]]]],
    ],
    state: 'one',
  },
]

const bodyOf = ([by, seq, ms, names, ops]: Written): Body => ({
  origin: { device, session: session(by), seq, time: { ms, counter: 0 } },
  bytes: encodeCanonical([Array.from(names, (name) => fromHex(session(name))), [...ops]]),
})

/** All orders in which each session's bodies stay in their own. */
function orders(bodies: readonly Body[]): readonly Body[][] {
  if (bodies.length === 0) return [[]]
  const first = bodies.filter(({ origin }) =>
    bodies.every(({ origin: { session, seq } }) => session !== origin.session || seq >= origin.seq),
  )
  return first.flatMap((body) =>
    orders(bodies.filter((each) => each !== body)).map((rest) => [body, ...rest]),
  )
}

test.each(cases)('$kind: $what', async ({ shape, bodies, state }) => {
  for (const order of orders(bodies.map(bodyOf))) {
    const folded = await nativeModel(shape).open(undefined)
    for (const body of order) folded.fold([body])
    expect(folded.mirror).toEqual(state)
  }
})

test('the vectors of states are what they were', () => {
  const computed = cases.map(({ what, kind, bodies, state }) => ({
    what,
    kind,
    bodies: bodies.map(bodyOf).map(({ origin: { session: by, seq, time }, bytes }) => ({
      session: by,
      seq,
      time: [time.ms, time.counter],
      body: toHex(bytes),
    })),
    state,
  }))
  const text = JSON.stringify(computed, null, 2) + '\n'
  if (process.env['UPDATE_VECTORS']) writeFileSync(file, text)
  expect(text).toBe(readFileSync(file, 'utf8'))
})
