import {
  counter,
  encodeCanonical,
  map,
  record,
  register,
  set,
  type Body,
  type DeviceId,
  type EntityState,
  type Origin,
  type SessionId,
  type Shape,
  type StateModel,
} from '@peerplane/core'
import { bodyAt } from '@peerplane/core/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { nativeModel } from './native-model.ts'

/*
 * Devices that declare a place in two ways change one entity. Each device must show what the devices with its own declaration have done,
 * whatever the others do, in any order of delivery, and say that something is missing.
 */

interface Kind {
  readonly shape: Shape
  readonly change: (handle: never, turn: number) => void
}
interface Handles {
  get(key: string): Handles
  increment(by: number): void
  set(value: string): void
  add(value: string | number): void
  delete(value: string | number): void
  readonly [field: string]: unknown
}
const kind = (shape: Shape, change: (handle: Handles, turn: number) => void): Kind => ({
  shape,
  change,
})

const kinds: Readonly<Record<string, Kind>> = {
  counter: kind(counter(), (h) => h.increment(7)),
  register: kind(register('initial'), (h, turn) => h.set(`v${turn}`)),
  set: kind(set<string | number>(), (h, turn) => {
    h.add(turn % 2 ? `e${turn}` : turn)
    if (turn > 3) h.delete(turn - 2)
  }),
  map: kind(map(counter()), (h, turn) => {
    h.get(`k${turn % 2}`).increment(1 + turn)
    if (turn % 3 === 0) h.delete('k0')
  }),
  'map of sets': kind(map(set()), (h, turn) => h.get('k0').add(`e${turn}`)),
  record: kind(record({ a: counter(), b: register('') }), (h, turn) => {
    ;(h['a'] as Handles).increment(1)
    ;(h['b'] as Handles).set(`v${turn}`)
  }),
}

/** Where the place is: the shape around it, and a command that changes it. */
type Around = (inner: Kind) => Kind
const places: Readonly<Record<string, Around>> = {
  'the entity': (inner) => inner,
  'a field': (inner) =>
    kind(record({ x: inner.shape, other: counter() }), (h, turn) => {
      ;(h['other'] as Handles).increment(1)
      inner.change(h['x'] as never, turn)
    }),
  'a key': (inner) =>
    kind(map(inner.shape), (h, turn) => {
      if (turn === 7) h.delete('key')
      else inner.change(h.get('key') as never, turn)
    }),
}

const cases = Object.keys(places).flatMap((place) =>
  Object.keys(kinds).flatMap((declared) =>
    Object.keys(kinds)
      .filter((written) => written !== declared)
      .map((written) => [place, declared, written] as const),
  ),
)

const AUTHORS = 4
const originOf = (author: number, seq: number): Origin => ({
  device: author.toString(16).repeat(64) as DeviceId,
  session: author.toString(16).padStart(32, '0') as SessionId,
  seq,
  time: { ms: 10 * seq + author, counter: 0 },
})

/** What authors with two declarations write, who sometimes see each other's changes. Bodies of even authors are of the first. */
async function writeBoth(
  models: readonly [StateModel, StateModel],
  [first, second]: readonly [Kind, Kind],
  sees: readonly boolean[],
): Promise<Body[]> {
  const authors = await Promise.all(
    Array.from({ length: AUTHORS }, (_, i) => models[i % 2]!.open(undefined)),
  )
  const seen = authors.map(() => 0)
  const bodies: Body[] = []
  for (let turn = 0; turn < 2 * AUTHORS; turn++) {
    const author = turn % AUTHORS
    const state = authors[author]!
    const others = bodies.slice(seen[author]).filter(({ origin }) => !isOf(author, origin))
    const voids = state.fold(sees[turn] ? others : [])
    expect(voids).toEqual([])
    if (sees[turn]) seen[author] = bodies.length
    const origin = originOf(author, 1 + Math.floor(turn / AUTHORS))
    const draft = state.begin(origin)
    ;(author % 2 ? second : first).change(draft.handle as never, turn)
    const bytes = draft.finish()
    if (!bytes) continue
    const body = bodyAt(origin, bytes)
    state.identify(body)
    bodies.push(body)
  }
  return bodies
}

const isOf = (author: number, { session }: Origin): boolean =>
  session === originOf(author, 1).session
const isFirst = ({ origin }: Body): boolean => isOf(0, origin) || isOf(2, origin)

/** The same bodies in another order that keeps each session in its own. */
function mixed(bodies: readonly Body[], choices: readonly number[]): Body[] {
  const left = Array.from({ length: AUTHORS }, (_, i) =>
    bodies.filter(({ origin }) => isOf(i, origin)),
  )
  return bodies.map((_, i) => {
    const some = left.filter((each) => each.length > 0)
    return some[choices[i]! % some.length]!.shift()!
  })
}

const orders = fc.record({
  sees: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
  choices: fc.array(fc.nat(), { minLength: 8, maxLength: 8 }),
  restart: fc.nat(8),
})

describe('an op of another kind has no effect, and leaves everything else readable', () => {
  test.each(cases)('at %s, declared as a %s and written as a %s', async (place, own, other) => {
    const [first, second] = [places[place]!(kinds[own]!), places[place]!(kinds[other]!)]
    const models = [nativeModel(first.shape), nativeModel(second.shape)] as const
    await fc.assert(
      fc.asyncProperty(orders, async ({ sees, choices, restart }) => {
        const bodies = await writeBoth(models, [first, second], sees)
        const [model] = models
        const alone = await model.open(undefined)
        expect(alone.fold(bodies.filter(isFirst))).toEqual([])
        expect(alone.skipped).toBeUndefined()

        let state: EntityState = await model.open(undefined)
        let isIncomplete = false
        for (const [i, body] of mixed(bodies, choices).entries()) {
          if (i === restart) {
            isIncomplete = state.skipped !== undefined
            state = await model.open(state.snapshot())
          }
          expect(state.fold([body])).toEqual([])
          expect(state.problem).toBeUndefined()
        }
        expect(isIncomplete || state.skipped !== undefined).toBe(true)
        // Ops on what both declare alike take effect, also beside those that have none.
        const { mirror } = alone
        const expected =
          place === 'a field' ? { ...(mirror as object), other: bodies.length } : mirror
        expect(state.mirror).toEqual(expected)
      }),
      { numRuns: 12 },
    )
  })

  test.each(Object.keys(kinds))('of a document on a %s', async (name) => {
    const { shape, change } = kinds[name]!
    const model = nativeModel(shape)
    const author = await model.open(undefined)
    const origin = originOf(0, 1)
    const draft = author.begin(origin)
    change(draft.handle as never, 1)
    const own = bodyAt(origin, draft.finish()!)
    const document = [[new Uint8Array(9)], [new Uint8Array(9), { title: '' }]].map((body, i) =>
      bodyAt(originOf(1, i + 1), encodeCanonical(body)),
    )
    for (const bodies of [
      [own, ...document],
      [...document, own],
    ]) {
      const state = await model.open(undefined)
      expect(state.fold(bodies)).toEqual([])
      expect(state.problem).toBeUndefined()
      expect(state.skipped).toMatch(/written as a document and is declared as a/)
      expect(state.mirror).toEqual(author.mirror)
    }
  })

  test('a body is void as a whole if one of its ops breaks a rule, even if another op is of a kind that is not declared', async () => {
    const model = nativeModel(record({ a: counter(), b: counter() }))
    const other = ['a', [0, 'text', []]]
    for (const ops of [
      [['b', 1], other, ['b', 0.5]],
      [other, ['b', 0.5]],
    ]) {
      const state = await model.open(undefined)
      const body = bodyAt(originOf(0, 1), encodeCanonical([[], ops]))
      expect(state.fold([body])).toEqual([body])
      expect(state.skipped).toBeUndefined()
      expect(state.mirror).toEqual({ a: 0, b: 0 })
    }
  })
})
