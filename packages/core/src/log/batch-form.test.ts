import fc from 'fast-check'
import { expect, test } from 'vitest'

import { equalBytes, toHex } from '../bytes.ts'
import { decodeCanonical, encodeCanonical } from '../codec.ts'
import { codeOf } from '../errors.ts'
import { hash } from '../hash.ts'
import { MAX_COUNTER } from '../hybrid-clock.ts'
import { entityKey, type BatchId, type SessionId } from '../ids.ts'
import { limits } from '../limits.ts'
import { utf8 } from '../text.ts'
import type { Value } from '../value.ts'
import { decodeBatch, encodeBatch, makeBatch, weightOf, type Batch } from './batch.ts'
import { makeCommit, type Commit, type Section } from './commit.ts'

const session = toHex(hash('test', utf8('session')).slice(0, 16)) as SessionId
const previous = toHex(hash('test', utf8('previous'))) as BatchId
const seed = new Uint8Array(16).fill(1)
const dep = { session: 'a'.repeat(32) as SessionId, seq: 3 }

type Made = readonly [ms: number, counter: number, sections: readonly Section[]]

function batchOf(made: readonly Made[], deps = [dep]): Batch {
  const commits = made.map(([ms, counter, sections], index) => {
    const own = index === 0 ? deps : []
    const digest = new Uint8Array(own.length === 0 ? 0 : 16)
    return makeCommit(
      session,
      { seq: 5 + index, deps: own, digest, time: { ms, counter } },
      sections,
      seed,
    )
  })
  return makeBatch(previous, commits as [Commit, ...Commit[]], seed)
}

const decode = (encoded: Uint8Array): Batch => decodeBatch(encoded, session, previous, 5)

const section = (id: string, modelVersion = 1, size = 20): Section => ({
  entity: entityKey('item', id),
  modelVersion,
  body: new Uint8Array(size),
})

const anyMade = fc.tuple(
  fc.oneof(fc.nat(3), fc.nat(Number.MAX_SAFE_INTEGER)),
  fc.oneof(fc.nat(2), fc.nat(MAX_COUNTER)),
  fc.array(
    fc
      .tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(2), fc.nat(4))
      .map(([id, version, size]) => section(id, version, size)),
    { maxLength: 4 },
  ),
)

test('every batch comes back as it was, at any times, with entities that come again', () => {
  fc.assert(
    fc.property(
      fc.array(anyMade, { minLength: 1, maxLength: 8 }),
      fc.boolean(),
      (made, depends) => {
        const batch = batchOf(made, depends ? [dep] : [])
        expect(decode(encodeBatch(batch))).toEqual(batch)
      },
    ),
  )
})

test('a batch has one form: what decodes is what would be encoded', () => {
  const whole = encodeBatch(
    batchOf([
      [7, 0, [section('a'), section('b')]],
      [7, 1, [section('a')]],
      [9, 0, [section('c')]],
      [3, 4, []],
    ]),
  )
  const values = decodeCanonical(whole)
  const swaps: Value[] = [0, 1, 2, [], [7, 1], [9, 0], [3, 4], ['item/a', 1], ['item/c', 2]]
  const outcomes = placesOf(values).flatMap((_, at) =>
    swaps.map((swap) => formOf(encodeCanonical(swapped(values, at, swap)))),
  )
  expect(new Set(outcomes)).toEqual(new Set(['one form', 'malformed']))
})

/** Whether bytes are what the batch that they stand for is encoded to, or why they are no batch. */
function formOf(bytes: Uint8Array): string {
  try {
    return equalBytes(encodeBatch(decode(bytes)), bytes) ? 'one form' : 'another form'
  } catch (error) {
    return codeOf(error)
  }
}

/** All values within a value, in one order. */
const placesOf = (value: Value): Value[] =>
  Array.isArray(value) ? [value, ...(value as readonly Value[]).flatMap(placesOf)] : [value]

/** The value with another one at a place of that order. */
function swapped(whole: Value, place: Value, other: Value): Value {
  let at = 0
  const walk = (value: Value): Value => {
    if (at++ === place) return other
    return Array.isArray(value) ? (value as readonly Value[]).map(walk) : value
  }
  return walk(whole)
}

test('one of 250 commits with bodies of 20 bytes costs at most 50 bytes', () => {
  const made = Array.from({ length: 250 }, (_, index): Made => [
    1_790_000_000_000 + Math.floor(index / 40) * 3,
    index % 40,
    [section(`item-${String(index).padStart(6, '0')}`)],
  ])
  const bytes = encodeBatch({ ...batchOf(made), signature: new Uint8Array(64) }).length
  expect(bytes / 250).toBeLessThan(50)
  expect(Math.round(bytes / 25) / 10).toBe(43.5)
})

test('a few bytes that stand for many are refused', () => {
  const long = section('x'.repeat(limits.entityNameBytes), 1, 0)
  const sections = Array.from({ length: limits.sections }, () => long)
  const made = Array.from({ length: 20 }, (_, index): Made => [1, index, sections])
  const batch = batchOf(made)
  const encoded = encodeBatch(batch)
  expect(encoded.length).toBeLessThan(20_000)
  expect(weightOf(batch, encoded)).toBeGreaterThan(limits.batchBytes)
  expect(() => decode(encoded)).toThrow(expect.objectContaining({ code: 'too-large' }))
})
