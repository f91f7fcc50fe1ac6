import { readFileSync, writeFileSync } from 'node:fs'

import {
  encodeCanonical,
  toHex,
  type Body,
  type DeviceId,
  type Json,
  type SessionId,
  type Tip,
  type Value,
} from '@peerplane/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { Lineages } from '../../log/lineages.ts'
import { commitsToValue, NamedCommit } from '../commits.ts'
import { nativeModel } from '../native-model.ts'
import { most, type Begun, type Case, type Sessions, type Written } from './case.fixture.test.ts'
import { countersAndRecords } from './counters-and-records.fixture.test.ts'
import { entities } from './entities.fixture.test.ts'
import { lists } from './lists.fixture.test.ts'
import { maps } from './maps.fixture.test.ts'
import { otherKinds } from './other-kinds.fixture.test.ts'
import { random, removed, strange } from './random.fixture.test.ts'
import { registers } from './registers.fixture.test.ts'
import { sets } from './sets.fixture.test.ts'
import { smallKinds } from './small-kinds.fixture.test.ts'
import { texts } from './texts.fixture.test.ts'
import { trees } from './trees.fixture.test.ts'

/*
 * Which op supersedes which: docs/state-vectors.json holds bodies of concurrent commits, and the state that they make in every order. With
 * UPDATE_VECTORS=1 the test writes the file again; a change of it is a change of the protocol.
 */

const docs = new URL('../../../../../docs/', import.meta.url)
const file = new URL('state-vectors.json', docs)
const { stateOf } = (await import(new URL('protocol-decoder.mjs', docs).href)) as {
  stateOf: (vector: object) => { state: Json; exists: boolean; incomplete: boolean }
}

const cases: readonly Case[] = [
  ...registers,
  ...sets,
  ...maps,
  ...lists,
  ...texts,
  ...trees,
  ...countersAndRecords,
  ...smallKinds,
  ...otherKinds,
  ...entities,
]

const session = (name: string): SessionId =>
  toHex(new Uint8Array(16).fill(parseInt(name, 16))) as SessionId
const prefixOf = (by: string, seq: number): string => `${by}${seq}`.repeat(8)

/** `a` stands for a device, and `a+` for another one whose id begins with the same 16 bytes. */
const deviceId = ([name, isOther]: string): DeviceId =>
  (`0${name}`.repeat(16) + (isOther ? 'ff' : `0${name}`).repeat(16)) as DeviceId

/** The commits in a text such as `a2 b1?`. */
const commitsOf = (names: string): NamedCommit[] =>
  names
    .split(' ')
    .filter((name) => name !== '')
    .map(([by, seq, isOther]) => {
      const prefix = isOther ? 'ff'.repeat(8) : prefixOf(by!, Number(seq))
      return new NamedCommit(session(by!), Number(seq), prefix)
    })

interface Opened {
  readonly device: DeviceId
  readonly parents: readonly Tip[]
  readonly start?: number
}

/** The sessions of bodies, and of the parents that these have. */
function openedBy(begun: Sessions, bodies: readonly Written[]): ReadonlyMap<SessionId, Opened> {
  const names = new Set([...bodies.map(([by]) => by), ...Object.keys(begun)])
  return new Map(
    [...names].sort().map((name) => {
      const { device, parents, start }: Begun = begun[name] ?? { device: name, parents: '' }
      const tips = commitsOf(parents).map((commit): Tip => ({ ...placeOf(commit), mark: noMark }))
      const began = start === undefined ? {} : { start }
      return [session(name), { device: deviceId(device), parents: tips, ...began }]
    }),
  )
}

const placeOf = ({ session: of, seq }: NamedCommit): { session: SessionId; seq: number } => ({
  session: of,
  seq,
})
const noMark = '00'.repeat(16) as Tip['mark']

function bodiesOf(begun: Sessions, written: readonly Written[]): Body[] {
  const opened = openedBy(begun, written)
  const lineages = new Lineages((of) => opened.get(of))
  return written.map(([by, seq, ms, names, ops, generation]) => {
    const of = session(by)
    const { device } = opened.get(of)!
    const lineage = lineages.opening(opened.get(of)!)
    return {
      origin: { device, session: of, seq, time: { ms, counter: 0 }, lineage },
      prefix: prefixOf(by, seq),
      bytes: encodeCanonical(
        'whole' in ops
          ? ops.whole
          : [
              commitsToValue(commitsOf(names)),
              [...ops],
              ...(generation === undefined ? [] : [generation]),
            ],
      ),
    }
  })
}

/** The bodies that can come first: those that are first in their session, and of which no commit that they cover is missing. */
const firstOf = (bodies: readonly Body[]): readonly Body[] =>
  bodies.filter(({ origin }) =>
    bodies.every(({ origin: { session: of, seq } }) =>
      of === origin.session ? seq >= origin.seq : !origin.lineage!.covers(of, seq),
    ),
  )

/** All orders in which bodies can come. */
function orders(bodies: readonly Body[]): readonly Body[][] {
  if (bodies.length === 0) return [[]]
  return firstOf(bodies).flatMap((body) =>
    orders(bodies.filter((each) => each !== body)).map((rest) => [body, ...rest]),
  )
}

test.each(cases)('$shape.kind: $what', async (each) => {
  const { shape, sessions = {}, bodies, state, exists = true, incomplete = false } = each
  for (const order of orders(bodiesOf(sessions, bodies))) {
    const folded = await nativeModel(shape).open(undefined)
    for (const body of order) folded.fold([body])
    expect(folded.mirror).toEqual(state)
    expect(folded.exists).toBe(exists)
    expect(folded.skipped !== undefined).toBe(incomplete)
  }
})

/** What a vector says of the sessions and the bodies. */
const given = (begun: Sessions, written: readonly Written[]): object => ({
  sessions: [...openedBy(begun, written)].map(([of, { device, parents, start }]) => ({
    session: of,
    device,
    parents: parents.map((tip) => [tip.session, tip.seq]),
    ...(start !== undefined && { start }),
  })),
  bodies: bodiesOf(begun, written).map(({ origin: { session: of, seq, time }, prefix, bytes }) => ({
    session: of,
    seq,
    time: [time.ms, time.counter],
    prefix,
    body: toHex(bytes),
  })),
})

const names = 'abcde'.split('')
/** A body at random. */
interface Draw {
  readonly by: string
  readonly ms: number
  readonly names: readonly (readonly [by: string, seq: number, luck: number])[]
  readonly ops: readonly Value[]
  readonly generation: number | undefined
}
/** Changes of an entity, deletions of it, and bodies that only touch it. */
const withDeletions = (changes: fc.Arbitrary<readonly Value[]>): fc.Arbitrary<readonly Value[]> =>
  fc.oneof(
    { arbitrary: changes, weight: 4 },
    { arbitrary: fc.tuple(removed.map((list): Value => [6, list])), weight: 2 },
    fc.constant([]),
  )
/** Each session has the device of one of the first, and parents among the sessions before it. */
const begun: fc.Arbitrary<Sessions> = fc
  .tuple(
    ...names.map((_, i) =>
      fc.record({
        device: fc.constantFrom('a', 'b'),
        parents: fc.array(fc.tuple(fc.nat(Math.max(0, i - 1)), fc.integer({ min: 1, max: 3 })), {
          maxLength: i === 0 ? 0 : 2,
        }),
        start: fc.option(fc.nat(4), { nil: undefined }),
      }),
    ),
  )
  .map((list) =>
    Object.fromEntries(
      list.map(({ device, parents, start }, i) => [
        names[i]!,
        {
          device,
          parents: parents.map(([at, seq]) => `${names[at]}${seq}`).join(' '),
          ...(start !== undefined && { start }),
        },
      ]),
    ),
  )

test.each(random)(
  'bodies that are folded in any order give the state that the definition gives: %s',
  async (_, shape, op) => {
    const named = fc.tuple(fc.constantFrom(...names), fc.integer({ min: 1, max: 4 }), fc.nat(3))
    const changes = fc.array(
      fc.oneof({ arbitrary: op, weight: 9 }, { arbitrary: strange, weight: 1 }),
      { minLength: 1, maxLength: 3 },
    )
    const writtenAs = (
      made: fc.Arbitrary<readonly Value[]>,
      generations: fc.Arbitrary<number | undefined>,
    ): fc.Arbitrary<readonly Draw[]> =>
      fc.array(
        fc.record({
          by: fc.constantFrom(...names),
          ms: fc.nat(4),
          names: fc.array(named, { minLength: 6, maxLength: 6 }),
          ops: made,
          generation: generations,
        }),
        { maxLength: 12 },
      )
    const written = fc.oneof(
      writtenAs(changes, fc.constant(undefined)),
      writtenAs(withDeletions(changes), fc.constant(undefined)),
      writtenAs(withDeletions(changes), fc.constantFrom(undefined, undefined, 1, 1, 2, most, 0)),
    )
    await fc.assert(
      fc.asyncProperty(
        begun,
        written,
        fc.infiniteStream(fc.nat()),
        async (sessions, list, choice) => {
          const all = list.map(({ by, ms, names: others, ops: made, generation }, i): Written => {
            const seq = list.slice(0, i + 1).filter((each) => each.by === by).length
            // One in four prefixes is wrong; a body never names its own session.
            const refs = others.map(([other, at, luck]) => {
              const another = other === by ? 'f' : other
              return `${another}${at}${luck === 0 ? '?' : ''}`
            })
            return [by, seq, ms, refs.join(' '), made, generation]
          })
          const state = await nativeModel(shape).open(undefined)
          const left = bodiesOf(sessions, all)
          while (left.length > 0) {
            const first = firstOf(left)
            const next = first[choice.next().value! % first.length]!
            left.splice(left.indexOf(next), 1)
            state.fold([next])
          }
          const { mirror, exists, skipped } = state
          const expected = stateOf({ shape, ...given(sessions, all) })
          expect({ state: mirror, exists, incomplete: skipped !== undefined }).toEqual(expected)
        },
      ),
      { numRuns: 100 },
    )
  },
)

test('the vectors of states are what they were', () => {
  const computed = cases.map(
    ({ what, shape, sessions = {}, bodies, state, exists = true, incomplete = false }) => ({
      what,
      shape,
      ...given(sessions, bodies),
      state,
      exists,
      incomplete,
    }),
  )
  const text = JSON.stringify(computed, null, 2) + '\n'
  if (process.env['UPDATE_VECTORS']) writeFileSync(file, text)
  expect(text).toBe(readFileSync(file, 'utf8'))
})
