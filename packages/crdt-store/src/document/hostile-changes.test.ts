import { createHash } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'

import {
  type Body,
  concatBytes,
  document,
  encodeCanonical,
  fromHex,
  limits,
  toHex,
  type DocumentHandle,
  type EntityState,
  type Json,
  type StateModel,
  type Value,
} from '@peerplane/core'
import { bodyAt, processorTime, rounds } from '@peerplane/core/testing'
import { beforeAll, describe, expect, test } from 'vitest'

import { encodeBody } from './body.ts'
import {
  checksum,
  chunkOf,
  generator,
  mutate,
  originOf,
  sessionOf,
} from './hostile.fixture.test.ts'
import { innerModel } from './inner-model.fixture.test.ts'
import { actorOf } from './intake.ts'
import { decodeSnapshot } from './snapshot.ts'

interface Content {
  readonly [key: string]: Json
  text: string
  list: Json[]
  map: { [key: string]: Json }
}
const shape = document<Content>({ text: '', list: [], map: {} })

let model: StateModel
let root: string
beforeAll(async () => {
  model = await innerModel(shape)
  root = (await model.open(undefined)).version
})

describe('a change that would do harm is void at once', () => {
  const cases: [what: string, bytes: () => Uint8Array][] = [
    ['3,000,000 operations in some hundred bytes', () => bomb(3_000_000n)],
    ['10^12 operations', () => bomb(10n ** 12n)],
    ['more replaced operations than there can be', () => bomb(1_000n, 10n ** 9n)],
    ['a chunk that inflates to 64 MB', () => deflated(64_000_000)],
    ['operations numbered from 2^31', () => change({ startOp: 2n ** 31n })],
    ['operations numbered from 2^32 - 1', () => change({ startOp: 2n ** 32n - 1n })],
    ['operations numbered before what it builds on', () => change({ startOp: 1n })],
    ['a number that is not the next one of its author', () => change({ seq: 2n })],
    ['200 values at one key', () => bomb(200n)],
    ['numbers of operations left out for nothing', () => change({ startOp: 2_000n })],
    ['a container that does not exist', () => change({ object: 77n })],
    ['a container that is not one', () => change({ object: 2n })],
    ['an author named whom it cannot know', () => change({ others: ['ab'.repeat(16)] })],
    ['nothing before it', () => change({ deps: [] })],
    ['the actor of another session', () => change({ actor: fromHex(actorOf(sessionOf('other'))) })],
    ['a wrong checksum', () => change({}).map((byte, i) => (i === 4 ? byte ^ 1 : byte))],
    ['two chunks', () => concatBytes(change({}), change({}))],
    ['a document chunk', () => chunk(0, change({}).subarray(11))],
    ['no bytes', () => new Uint8Array(0)],
    ['six million bytes', () => new Uint8Array(6_000_000)],
  ]
  test.each(cases)('%s', async (_, make) => {
    const state = await model.open(undefined)
    const before = toHex(state.snapshot())
    const body = bodyAt(originOf('mallory'), bodyOf(make()))
    const memory = process.memoryUsage().rss
    const start = processorTime()
    expect(state.fold([body])).toEqual([body])
    expect(processorTime() - start).toBeLessThan(50)
    expect(process.memoryUsage().rss - memory).toBeLessThan(30_000_000)
    expect(JSON.stringify(state.mirror)).toBe('{"list":[],"map":{},"text":""}')
    const reopened = await model.open(state.snapshot())
    // The session that did it has no further effect; nothing else is remembered.
    expect(state.fold([{ ...body, bytes: bodyOf(change({})) }])).toHaveLength(1)
    expect(reopened.fold([{ ...body, bytes: bodyOf(change({})) }])).toHaveLength(1)
    expect(toHex(state.snapshot())).not.toBe(before)
    expect(reopened.version).toBe(root)
  })
})

describe('a change is void if its initial state cannot be declared', () => {
  const many = Object.fromEntries(
    Array.from({ length: limits.documentDefaults + 1 }, (_, i) => [`k${i}`, 0]),
  )
  const deep = (levels: number): Value => (levels === 0 ? '' : { a: deep(levels - 1) })
  const cases: [what: string, body: () => Value][] = [
    ['a list', () => [change({}), []]],
    ['a text', () => [change({}), 'text']],
    ['more places than the limit', () => [change({}), many]],
    ['too many levels', () => [change({}), deep(34)]],
    ['bytes', () => [change({}), { text: new Uint8Array(1) }]],
    ['a key that objects cannot have', () => [change({}), { ['__proto__']: '' }]],
    ['something after it', () => [change({}), {}, 1]],
  ]
  test.each(cases)('%s', async (_, make) => {
    const state = await model.open(undefined)
    const body = bodyAt(originOf('mallory'), encodeCanonical(make()))
    const start = processorTime()
    expect(state.fold([body])).toEqual([body])
    expect(processorTime() - start).toBeLessThan(100)
    expect(state.problem).toBeUndefined()
    expect(state.version).toBe(root)
  })

  test('the largest initial state that an application can declare is accepted quickly', async () => {
    const tree = Object.fromEntries(
      Array.from({ length: limits.documentDefaults }, (_, i) => [`k${i}`, '']),
    )
    const honest = await innerModel(document(tree))
    const author = await honest.open(undefined)
    const body = write(author, 'alice', (doc) => doc.splice(['k7'], 0, 0, 'one'))
    const state = await model.open(undefined)
    const start = processorTime()
    expect(state.fold([body])).toEqual([])
    expect(state.mirror).toMatchObject({ k7: 'one', text: '' })
    expect(processorTime() - start).toBeLessThan(1_000)
  })
})

test('the change that the cases above spoil is valid', async () => {
  const state = await model.open(undefined)
  expect(state.fold([bodyAt(originOf('mallory'), bodyOf(change({})))])).toEqual([])
  expect(state.mirror).toEqual({ list: [], map: {}, text: '', y: 0 })
})

test('what only Automerge can find is void too, costs its session alone, and is named by the next call', async () => {
  const state = await model.open(undefined)
  const honest = await model.open(undefined)
  const first = write(honest, 'alice', (doc) => doc.splice(['text'], 0, 0, 'one'))
  // One value as a run of one: Automerge would write it as a list of one.
  const bad = bodyAt(originOf('mallory'), bodyOf(change({ action: [1, 1] })))
  const second = write(honest, 'alice', (doc) => doc.splice(['text'], 3, 0, ' two'))
  expect(state.fold([first, bad, second])).toEqual([])
  expect(state.mirror).toEqual(honest.mirror)
  expect(state.fold([])).toEqual([bad])
  expect(state.fold([])).toEqual([])
  expect((await model.open(state.snapshot())).mirror).toEqual(honest.mirror)
})

describe('a change that builds on one that is not here', () => {
  test('waits for it, with all that its session makes after it, also in a snapshot', async () => {
    const author = await model.open(undefined)
    const first = write(author, 'alice', (doc) => doc.splice(['text'], 0, 0, 'one'))
    const second = write(author, 'mallory', (doc) => doc.splice(['text'], 3, 0, ' two'))
    const third = write(author, 'mallory', (doc) => doc.splice(['text'], 7, 0, ' three'))
    const fourth = write(author, 'bob', (doc) => doc.splice(['text'], 0, 0, 'zero '))

    const state = await model.open(undefined)
    expect(state.fold([fourth, second])).toEqual([])
    expect(state.version).toBe(root)
    const reopened = await model.open(state.snapshot())
    expect(reopened.version).toBe(root)
    expect(toHex(reopened.snapshot())).toBe(toHex(state.snapshot()))
    for (const each of [state, reopened]) {
      expect(each.fold([third])).toEqual([])
      expect(each.version).toBe(root)
      expect(each.fold([first])).toEqual([])
      expect(each.mirror).toEqual(author.mirror)
      expect(each.version).toBe(author.version)
      const { waiting } = decodeSnapshot(each.snapshot())
      expect(waiting).toEqual([])
    }
  })

  test('waits for a change of this device too', async () => {
    const state = await model.open(undefined)
    const own = await model.open(undefined)
    const bytes = write(own, 'alice', (doc) => doc.splice(['text'], 0, 0, 'one'))
    const answer = write(own, 'mallory', (doc) => doc.splice(['text'], 3, 0, ' two'))
    expect(state.fold([answer])).toEqual([])
    expect(write(state, 'alice', (doc) => doc.splice(['text'], 0, 0, 'one'))).toEqual(bytes)
    expect(state.mirror).toEqual(own.mirror)
  })

  test('has no effect when that one is void', async () => {
    const bad = bodyAt(originOf('mallory'), bodyOf(change({ action: [1, 1] })))
    const hash = toHex(createHash('sha256').update(chunkOf(bad.bytes).subarray(8)).digest())
    const after = bodyAt(
      originOf('oscar'),
      bodyOf(change({ actor: fromHex(actorOf(sessionOf('oscar'))), deps: [hash], startOp: 3n })),
    )
    const honest = await model.open(undefined)
    const good = write(honest, 'alice', (doc) => doc.splice(['text'], 0, 0, 'one'))
    for (const bodies of [
      [bad, after, good],
      [after, good, bad],
      [good, bad, after],
    ]) {
      const state = await model.open(undefined)
      expect(state.fold(bodies)).toEqual([])
      expect(state.mirror).toEqual(honest.mirror)
      expect(state.version).toBe(honest.version)
      expect(state.fold([])).toEqual([bad])
      expect(decodeSnapshot(state.snapshot()).waiting).toEqual([after])
    }
  })

  test('makes the document unreadable when it is too much', async () => {
    const state = await model.open(undefined)
    const bytes = bodyOf(change({ deps: ['ab'.repeat(32)] }))
    expect(state.fold([bodyAt(originOf('mallory'), bytes)])).toEqual([])
    const long = new Uint8Array(2 ** 20)
    for (let seq = 2; seq < 2 + 2 ** 6; seq++) {
      expect(state.version).toBe(root)
      expect(state.fold([bodyAt(originOf('mallory', seq), long)])).toEqual([])
    }
    expect(() => state.mirror).toThrow(expect.objectContaining({ code: 'unreadable' }))
    expect(() => state.snapshot()).toThrow(expect.objectContaining({ code: 'unreadable' }))
  })
})

test('containers go as deep as handles let them, and changes that go deeper are void', async () => {
  const state = await model.open(undefined)
  expect(state.fold([bodyAt(originOf('mallory'), bodyOf(nested(32n)))])).toEqual([])
  let levels = 0
  for (let each = state.mirror as Json; each !== undefined; levels++) {
    each = (each as { readonly [key: string]: Json })['a']!
  }
  expect(levels).toBe(33)
  for (const count of [33n, 1_000n]) {
    const fresh = await model.open(undefined)
    const body = bodyAt(originOf('mallory'), bodyOf(nested(count)))
    expect(fresh.fold([body])).toEqual([body])
    // Also where what lies above is in a document that was saved.
    const opened = await model.open(state.snapshot())
    const below = bodyAt(originOf('oscar'), bodyOf(inside(state.version, 33n)))
    expect(opened.fold([below])).toEqual([below])
  }
})

test('a handle refuses to go below the depth limit', async () => {
  const state = await model.open(undefined)
  const draft = state.begin(originOf('alice'))
  let place = (draft.handle as DocumentHandle<Content>).map
  for (let depth = 2; depth <= 32; depth++) {
    place['a'] = {}
    place = place['a'] as typeof place
  }
  expect(() => {
    place['a'] = {}
  }).toThrow(/levels/)
  expect(draft.finish()).toBeInstanceOf(Uint8Array)
  expect(JSON.stringify(state.mirror)).toContain('{"a":{}}')
})

test('a mutated change neither throws nor hangs, and the document still saves and loads', async () => {
  const honest = await model.open(undefined)
  const bodies = Array.from({ length: 20 }, (_, i) =>
    write(honest, 'alice', (doc) => {
      doc.splice(['text'], 0, 0, `hello ${i} `)
      doc.list.push(i, 'x', { a: [i] })
      doc.map[`k${i % 5}`] = { text: 'abc', n: i }
      if (i % 3 === 0) doc.list.splice(0, 1)
      if (i % 4 === 0) doc.splice(['text'], 2, 3, 'Z')
    }),
  )
  const random = generator(1)
  let voids = 0
  let longest = 0
  const count = rounds(400)
  for (let round = 0; round < count; round++) {
    const state = await model.open(undefined)
    const at = Math.floor(random() * bodies.length)
    state.fold(bodies.slice(0, at))
    const start = processorTime()
    const mutated = { ...bodies[at]!, bytes: mutate(bodies[at]!.bytes, random) }
    const refused = state.fold([mutated])
    const mirror = JSON.stringify(state.mirror)
    voids += refused.length + state.fold([]).length
    const reopened = await model.open(state.snapshot())
    expect(JSON.stringify(reopened.mirror)).toBe(mirror)
    const draft = state.begin(originOf('bob'))
    ;(draft.handle as DocumentHandle<Content>).splice(['text'], 0, 0, 'alive')
    expect(draft.finish()).toBeInstanceOf(Uint8Array)
    const again = await model.open(state.snapshot())
    expect(JSON.stringify(again.mirror)).toBe(JSON.stringify(state.mirror))
    longest = Math.max(longest, processorTime() - start)
    for (const each of [state, reopened, again]) each.close()
  }
  expect(voids).toBeGreaterThan(count / 2)
  expect(longest).toBeLessThan(1_000)
})

/** A change as the first of its session. */
const bodyOf = (chunks: Uint8Array): Uint8Array => encodeBody({ chunks, tree: shape.initial })

function write(
  state: EntityState,
  name: string,
  edit: (doc: DocumentHandle<Content>) => void,
): Body {
  const draft = state.begin(originOf(name))
  edit(draft.handle as DocumentHandle<Content>)
  return bodyAt(originOf(name), draft.finish()!)
}

/** A change that sets the key `y` of an object to 0, with the parts of a case. */
function change(parts: {
  startOp?: bigint
  deps?: string[]
  actor?: Uint8Array
  seq?: bigint
  others?: string[]
  object?: bigint
  action?: number[]
}): Uint8Array {
  const object: [number, number[]][] =
    parts.object === undefined
      ? []
      : [
          [0x01, [1, 0]],
          [0x02, [1, ...uleb(parts.object)]],
        ]
  return encode(parts, [
    ...object,
    [0x15, [0x7f, 1, 0x79]],
    [0x34, [1]],
    [0x42, parts.action ?? [0x7f, 1]],
    [0x56, [0x7f, 0x14]],
    [0x57, [0]],
    [0x70, [0x7f, 0]],
  ])
}

/** A change of `count` operations, or with `preds` replaced operations each, in run lengths. */
function bomb(count: bigint, preds = 0n): Uint8Array {
  return encode({}, [
    [0x15, [...sleb(count), 1, 0x79]],
    [0x34, uleb(count)],
    [0x42, [...sleb(count), 1]],
    [0x56, [...sleb(count), 0]],
    [0x70, [...sleb(count), ...uleb(preds)]],
    ...(preds === 0n
      ? []
      : ([
          [0x71, [...sleb(count * preds), 0]],
          [0x73, [...sleb(count * preds), 0]],
        ] as [number, number[]][])),
  ])
}

/** A change of `count` maps, each inside the one before. */
function nested(count: bigint): Uint8Array {
  const parents = Array.from({ length: Number(count) - 1 }, (_, i) => uleb(2n + BigInt(i))).flat()
  return encode({}, [
    [0x01, [0, 1, ...sleb(count - 1n), 0]],
    [0x02, [0, 1, ...sleb(1n - count), ...parents]],
    [0x15, [...sleb(count), 1, 0x61]],
    [0x34, uleb(count)],
    [0x42, [...sleb(count), 0]],
    [0x56, [...sleb(count), 0]],
    [0x70, [...sleb(count), 0]],
  ])
}

/** A change that puts a map into the container that the last operation of a version made. */
const inside = (version: string, made: bigint): Uint8Array => {
  const mallory = toHex(fromHex(actorOf(sessionOf('mallory'))))
  const actor = fromHex(actorOf(sessionOf('oscar')))
  return encode({ deps: version.split(','), actor, startOp: made + 1n, others: [mallory] }, [
    [0x01, [0x7f, 1]],
    [0x02, [0x7f, ...uleb(made)]],
    [0x15, [0x7f, 1, 0x61]],
    [0x34, [1]],
    [0x42, [0x7f, 0]],
    [0x56, [0x7f, 0]],
    [0x70, [0x7f, 0]],
  ])
}

function encode(
  parts: {
    startOp?: bigint
    deps?: string[]
    actor?: Uint8Array
    seq?: bigint
    others?: string[]
  },
  columns: readonly [number, number[]][],
): Uint8Array {
  const deps = parts.deps ?? root.split(',')
  const others = parts.others ?? []
  const actor = parts.actor ?? fromHex(actorOf(sessionOf('mallory')))
  return chunk(
    1,
    Uint8Array.from([
      ...uleb(BigInt(deps.length)),
      ...deps.flatMap((dep) => [...fromHex(dep)]),
      actor.length,
      ...actor,
      ...uleb(parts.seq ?? 1n),
      ...uleb(parts.startOp ?? 2n),
      0,
      0,
      ...uleb(BigInt(others.length)),
      ...others.flatMap((other) => [other.length / 2, ...fromHex(other)]),
      columns.length,
      ...columns.flatMap(([spec, bytes]) => [spec, ...uleb(BigInt(bytes.length))]),
      ...columns.flatMap(([, bytes]) => bytes),
    ]),
  )
}

function deflated(size: number): Uint8Array {
  const body = deflateRawSync(new Uint8Array(size))
  return chunk(2, body)
}

function chunk(type: number, body: Uint8Array): Uint8Array {
  const hashed = Uint8Array.from([type, ...uleb(BigInt(body.length)), ...body])
  return concatBytes(Uint8Array.from([0x85, 0x6f, 0x4a, 0x83]), checksum(hashed), hashed)
}

function uleb(value: bigint): number[] {
  const bytes: number[] = []
  for (; value >= 128n; value >>= 7n) bytes.push(Number(value & 127n) | 128)
  return [...bytes, Number(value)]
}

function sleb(value: bigint): number[] {
  const bytes: number[] = []
  for (; value < -64n || value >= 64n; value >>= 7n) bytes.push(Number(value & 127n) | 128)
  return [...bytes, Number(value & 127n)]
}
