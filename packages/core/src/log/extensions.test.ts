import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import type { BatchId, EntityKey, SessionId } from '../ids.ts'
import { limits } from '../limits.ts'
import type { Value } from '../value.ts'
import { decodeBatch, encodeBatch, makeBatch, type Batch } from './batch.ts'
import { decodeHeader, makeCommit, type Commit } from './commit.ts'
import { isUnderstood, readExtensions, type Extensions } from './extensions.ts'
import { decodeOpening, encodeOpening, makeOpening } from './opening.ts'

const session = 'ab'.repeat(16) as SessionId
const previous = 'cd'.repeat(32) as BatchId

const value: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom(null, true, 7, 'text'),
  fc.uint8Array({ maxLength: 9 }),
  fc.array(fc.constantFrom(1, 'a'), { maxLength: 3 }),
)
const extensions: fc.Arbitrary<Extensions> = fc
  .uniqueArray(fc.tuple(fc.nat({ max: 300 }), value), { maxLength: 4, selector: ([key]) => key })
  .map((pairs) => pairs.sort(([a], [b]) => a - b))

const optional = (list: Extensions): { extensions?: Extensions } =>
  list.length > 0 ? { extensions: list } : {}

const batches: fc.Arbitrary<Batch> = fc
  .array(fc.tuple(extensions, fc.array(extensions, { maxLength: 3 })), {
    minLength: 1,
    maxLength: 5,
  })
  .map((commits) => {
    const seed = new Uint8Array(16)
    const made = commits.map(([ofHeader, ofSections], index) => {
      const sections = ofSections.map((ofSection, at) => ({
        entity: `note/${at}` as EntityKey,
        modelVersion: 1,
        body: Uint8Array.of(index, at),
        ...optional(ofSection),
      }))
      const time = { ms: 5 + index, counter: 0 }
      const fields = { seq: index + 1, deps: [], digest: new Uint8Array(0), time }
      return makeCommit(session, { ...fields, ...optional(ofHeader) }, sections, seed)
    })
    return makeBatch(previous, made as [Commit, ...Commit[]], seed)
  })

test('whatever records hold beyond their fields comes back, is part of the hashes, and has one form', () => {
  fc.assert(
    fc.property(batches, (batch) => {
      const decoded = decodeBatch(encodeBatch(batch), session, previous, 1)
      expect(decoded).toEqual(batch)
      for (const { headerBytes, header } of batch.commits) {
        expect(decodeHeader(headerBytes)).toEqual(header)
      }
      const without = decoded.commits.map(({ header, sections }) => {
        const { root: _, extensions: __, ...fields } = header
        const bare = sections.map(({ extensions: ___, ...section }) => section)
        return makeCommit(session, fields, bare, batch.seed)
      })
      const isBare = batch.commits.every(
        ({ header, sections }) => !header.extensions && sections.every((each) => !each.extensions),
      )
      const again = makeBatch(previous, without as [Commit, ...Commit[]], batch.seed)
      expect(again.id === batch.id).toBe(isBare)
    }),
  )
})

test('an opening keeps them, under another id', () => {
  const fields = {
    space: 'ab'.repeat(32),
    device: 'cd'.repeat(32),
    parents: [],
    admission: new Uint8Array(32),
    nonce: new Uint8Array(16),
  } as never
  const plain = makeOpening(fields)
  const more = makeOpening({ ...(fields as object), extensions: [[3, 'x']] } as never)
  expect(more.session).not.toBe(plain.session)
  expect(decodeOpening(more.bytes)).toEqual(more)
})

test('a start is one of them that is known; in another form, it is a critical key that is not', () => {
  const fields = {
    space: 'ab'.repeat(32),
    device: 'cd'.repeat(32),
    parents: [],
    admission: new Uint8Array(32),
    nonce: new Uint8Array(16),
  } as never
  const start = Number.MAX_SAFE_INTEGER
  for (const more of [{}, { extensions: [[3, 'x']] }]) {
    const made = makeOpening({ ...(fields as object), start, ...more } as never)
    expect(decodeOpening(made.bytes)).toEqual(made)
    expect(isUnderstood(decodeOpening(made.bytes).opening.extensions)).toBe(true)
  }
  for (const other of [-1, 2 ** 53, 0.5, [1], '1', null]) {
    const made = makeOpening({ ...(fields as object), extensions: [[0, other]] } as never)
    const { opening, bytes } = decodeOpening(made.bytes)
    expect(opening.start).toBeUndefined()
    expect(isUnderstood(opening.extensions)).toBe(false)
    expect(encodeOpening(opening)).toEqual(bytes)
  }
})

test('other forms are refused', () => {
  const deep: Value = [[[[[1]]]]]
  const refused: Record<string, Value> = {
    'no list': 1,
    empty: [],
    'a key without value': [1],
    'a key twice': [1, 'a', 1, 'b'],
    'keys out of order': [3, 'a', 1, 'b'],
    'a key that is no whole number': [-1, 'a'],
    'five levels': [1, deep],
    'too many bytes': [1, new Uint8Array(limits.extensionBytes)],
  }
  for (const [name, list] of Object.entries(refused)) {
    expect(() => readExtensions(list, name)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^(malformed|too-large)$/) }),
    )
  }
  const nested = Array.from({ length: 4_000 }).reduce<Value>((inner) => [inner], 1)
  expect(() => readExtensions([1, nested], 'deep')).toThrow(/nested/)
  expect(readExtensions([0, [[[[1]]]], 1, new Uint8Array(900)], 'fits')).toHaveLength(2)
})

test('an even key has to be understood, an odd one need not', () => {
  expect(isUnderstood(undefined)).toBe(true)
  expect(
    isUnderstood([
      [1, 'a'],
      [7, 'b'],
    ]),
  ).toBe(true)
  expect(
    isUnderstood([
      [1, 'a'],
      [8, 'b'],
    ]),
  ).toBe(false)
  expect(isUnderstood([[0, null]])).toBe(false)
})
