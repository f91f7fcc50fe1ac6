import {
  counter,
  encodeCanonical,
  fromHex,
  hash,
  map,
  PREFIX_BYTES,
  record,
  register,
  set,
  toHex,
  utf8,
  type Body,
  type DeviceId,
  type EntityState,
  type SessionId,
  type Value,
} from '@peerplane/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { nativeModel } from './native-model.ts'

/*
 * A member writes a body that names commits of others which are not in its past. If it guesses them, they do not exist yet: it knows their
 * places, and not their prefixes. If it names commits that exist, it leaves out that it depends on them. Replicas get it at any time, also
 * before the commits that it names.
 */

const shape = record({
  title: register('nothing'),
  tags: set<string>(),
  stock: map(counter()),
  notes: map(register('')),
  cards: map(record({ title: register(''), votes: counter(), labels: set<string>() })),
})
const model = nativeModel(shape)

interface Kind {
  readonly name: string
  /** What each honest commit does. */
  readonly honest: Value
  /** What a body does that takes back what it names. */
  readonly hostile: (refs: Value) => Value
  /** What is shown when only honest commits are there, and when all of them are taken back. */
  readonly kept: object
  readonly gone: object
}

const COMMITS = 4

const kinds: readonly Kind[] = [
  {
    name: 'a register',
    honest: ['title', [0, 'honest', []]],
    hostile: (refs) => ['title', [0, 'hostile', refs]],
    kept: { title: 'honest' },
    gone: { title: 'hostile' },
  },
  {
    name: 'a set',
    honest: ['tags', [1, 'x']],
    hostile: (refs) => ['tags', [2, 'x', refs]],
    kept: { tags: ['x'] },
    gone: { tags: [] },
  },
  {
    name: 'a counter in a map',
    honest: ['stock', [3, 'a', 2]],
    hostile: (refs) => ['stock', [4, 'a', refs]],
    kept: { stock: { a: 2 * 2 * COMMITS } },
    gone: { stock: {} },
  },
  {
    name: 'a register in a map',
    honest: ['notes', [3, 'a', [0, 'honest', []]]],
    hostile: (refs) => ['notes', [4, 'a', refs]],
    kept: { notes: { a: 'honest' } },
    gone: { notes: {} },
  },
  {
    name: 'a record in a map',
    honest: ['cards', [3, 'a', ['title', [0, 'honest', []]]]],
    hostile: (refs) => ['cards', [4, 'a', refs]],
    kept: { cards: { a: { title: 'honest', votes: 0, labels: [] } } },
    gone: { cards: {} },
  },
  {
    name: 'a set in a record in a map',
    honest: ['cards', [3, 'a', ['labels', [1, 'x']]]],
    hostile: (refs) => ['cards', [3, 'a', ['labels', [2, 'x', refs]]]],
    kept: { cards: { a: { title: '', votes: 0, labels: ['x'] } } },
    gone: { cards: { a: { title: '', votes: 0, labels: [] } } },
  },
]

const HONEST = ['01', '02']
const HOSTILE = '0a'

describe.each(kinds)('$name', ({ honest, hostile, kept, gone }) => {
  /** All honest commits and one that names all their places, in this order. */
  const folded = async (
    order: IterableIterator<number>,
    prefixOf: Prefix,
  ): Promise<EntityState> => {
    const queues = HONEST.map((session) =>
      Array.from({ length: COMMITS }, (_, i) => bodyOf(session, i + 1, [], [honest])),
    )
    const places = queues.flat()
    const named = places.flatMap(({ origin, prefix }): Value[] => [
      fromHex(origin.session),
      origin.seq,
      fromHex(prefixOf(prefix)),
    ])
    const ops = [hostile(places.map((_, ref) => ref))]
    queues.push([bodyOf(HOSTILE, 1, named, ops)])
    let state = await model.open(undefined)
    while (queues.some(({ length }) => length > 0)) {
      const ready = queues.filter(({ length }) => length > 0)
      const [next] = ready[order.next().value! % ready.length]!.splice(0, 1)
      expect(state.fold([next!])).toEqual([])
      if (order.next().value! % 3 === 0) state = await model.open(state.snapshot())
    }
    return state
  }

  const check = async (prefixOf: Prefix, shown: object): Promise<void> => {
    const snapshots = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.nat()), async (order) => {
        const state = await folded(order, prefixOf)
        expect(state.mirror).toMatchObject(shown)
        snapshots.add(toHex(state.snapshot()))
      }),
      { numRuns: 60 },
    )
    expect(snapshots.size).toBe(1)
  }

  test('a body that guesses the prefix of a commit does not supersede this commit, in any order of arrival', () =>
    check(another, kept))

  test('a body supersedes the commits that it names, in any order of arrival', () =>
    check((prefix) => prefix, gone))
})

/** What a member knows of the prefix of a commit. */
type Prefix = (prefix: string) => string

/** The last bit is another one. */
const another = (prefix: string): string =>
  prefix.slice(0, -1) + (parseInt(prefix.at(-1)!, 16) ^ 1).toString(16)

function bodyOf(name: string, seq: number, commits: readonly Value[], ops: readonly Value[]): Body {
  const session = name.repeat(16) as SessionId
  const prefix = toHex(hash('test-commit', utf8(`${session} ${seq}`)).slice(0, PREFIX_BYTES))
  // What the member writes is the earliest of all: it is shown only where nothing else is left.
  const time = { ms: name === HOSTILE ? 0 : seq, counter: 0 }
  const origin = { device: name.repeat(32) as DeviceId, session, seq, time }
  return { origin, prefix, bytes: encodeCanonical([[...commits], [...ops]]) }
}
