import {
  compareBytes,
  counter,
  encodeCanonical,
  limits,
  map,
  record,
  register,
  set,
  type Commit,
  type EntityKey,
  type EntitySize,
  type Origin,
  type PeerplaneError,
  type Scheduler,
  type Shape,
  type StateModel,
  type Trace,
  type Value,
} from '@peerplane/core'
import { rootLineage } from '@peerplane/core/testing'
import { expect, test } from 'vitest'

import { nativeModel } from '../kernels/native-model.ts'
import type { Entities } from './entities.ts'
import {
  commitOf,
  deviceOf,
  manualScheduler,
  recordingStore,
  sectionOf,
  sessionId,
  type RecordingStore,
} from './held-log.fixture.test.ts'
import { rowKey } from './keys.ts'
import { openEntities } from './open-entities.ts'

const COMMITS = 20
const OPS = 500

/** For each kernel, a shape and an op that makes its state larger. */
const growing: readonly (readonly [string, Shape, (text: string) => Value])[] = [
  ['counter', counter(), () => 1],
  ['register', register(''), (text) => [0, text, []]],
  ['set', set<string>(), (text) => [1, text]],
  ['map', map(register('')), (text) => [3, text, [0, '', []]]],
  ['record', record({ a: register('') }), (text) => ['a', [0, text, []]]],
]

test.each(growing)(
  'the state for the application is computed only when it is read: a growing %s',
  async (_, shape, op) => {
    const { entities, made } = await countingEntities(shape)
    for (let seq = 1; seq <= COMMITS; seq++) {
      expect(await entities.fold([commit(seq, op)])).toEqual([key])
    }
    expect(made()).toBe(0)
    const { mirror } = await entities.open(key)
    expect(mirror).toBe((await entities.open(key)).mirror)
    expect(made()).toBe(2)
    await entities.close()
  },
)

test.each([
  ['leaves memory once nobody needs it', false, 2],
  ['stays in memory as long as it is watched', true, 1],
] as const)(
  'a large entity is kept in memory only while it is needed: it %s',
  async (_, isWatched, loads) => {
    const { entities, opened } = await countingEntities(set<string>())
    if (isWatched) entities.pin(key)
    for (let seq = 1; seq <= 20; seq++) await entities.fold([commit(seq, longElement)])
    for (let seq = 21; seq <= 23; seq++) {
      await entities.flush()
      await entities.fold([commit(seq, () => [1, 'small'], other)])
    }
    await entities.flush()
    const { mirror } = await entities.open(key)
    expect(mirror).toHaveLength(20 * OPS)
    expect(opened()).toBe(loads + 1)
    await entities.close()
  },
)

test('the larger a row is, the less often it is written, but at least once a minute', async () => {
  const delays: number[] = []
  const { entities } = await countingEntities(set<string>(), {
    after: (ms) => {
      if (ms !== limits.idleEntityMs) delays.push(ms)
      return () => undefined
    },
  })
  for (let seq = 1; seq <= 12; seq++) {
    await entities.fold([commit(seq, (text) => [1, text.padEnd(600)])])
    if (seq % 3 === 0) await entities.flush()
  }
  await entities.fold([commit(13, () => [1, 'small'])])
  expect(delays).toHaveLength(5)
  expect(delays).toEqual(delays.toSorted((a, b) => a - b))
  expect(delays[1]!).toBeGreaterThan(1.5 * delays[0]!)
  expect(delays[4]!).toBeLessThanOrEqual(60_000)
  await entities.close()
})

test('an entity that holds too much is unreadable, even after a restart; other entities of its type are readable', async () => {
  const store = recordingStore()
  const first = await countingEntities(set<string>(), undefined, store)
  await first.entities.fold([commit(1, () => [1, 'small'], other)])
  let seq = 1
  const isReadable = async (entities: Entities): Promise<boolean> =>
    entities.open(key).then(
      () => true,
      (error: unknown) => (error as PeerplaneError).code !== 'unreadable',
    )
  while (seq < 40 && (await isReadable(first.entities))) {
    await first.entities.fold([commit(++seq, (text) => [1, text.padEnd(600)])])
  }
  expect(seq).toBeLessThan(20)
  await first.entities.close()
  const row = store.writes.flat().findLast(({ key: at }) => compareBytes(at, rowKey(key)) === 0)
  expect(row!.value!.length).toBeLessThan(1_000)

  const { entities } = await countingEntities(set<string>(), undefined, store)
  expect(await isReadable(entities)).toBe(false)
  expect(await entities.fold([commit(seq + 1, (text) => [1, text])])).toEqual([key])
  expect(await isReadable(entities)).toBe(false)
  expect((await entities.open(other)).mirror).toEqual(['small'])
  await entities.close()
})

test('an entity says how large it is, and is reported once before commands on it are refused', async () => {
  const reported: unknown[] = []
  const trace: Trace = (name, fields) => {
    if (name === 'entity.large') reported.push(fields)
  }
  const { entities } = await countingEntities(set<string>(), undefined, undefined, trace)
  const pad = (text: string): Value => [1, text.padEnd(200)]
  const size = async (): Promise<EntitySize> => (await entities.open(key)).size
  let seq = 0
  while (reported.length === 0 && seq < 40) {
    const { bytes, ops } = await size()
    expect(bytes).toBeLessThanOrEqual(limits.entityCommandBytes * 0.8)
    expect(ops).toBe(seq * OPS)
    await entities.fold([commit(++seq, pad)])
  }
  // Each element counts 128 bytes and its text.
  const weight = seq * OPS * (128 + 200)
  const { bytes, ops, mostBytes } = await size()
  expect(bytes).toBeGreaterThan(weight * 0.9)
  expect(bytes).toBeLessThan(weight * 1.3)
  expect([ops, mostBytes]).toEqual([seq * OPS, limits.entityCommandBytes])
  expect(reported).toEqual([{ type: 'large', entity: key, bytes, ops }])
  await entities.fold([commit(++seq, pad)])
  expect(reported).toHaveLength(1)
  await entities.close()
})

const key = 'large/one' as EntityKey
const other = 'large/other' as EntityKey

const longElement = (text: string): Value => [1, text.padEnd(120)]

function commit(seq: number, op: (text: string) => Value, entity = key): Commit {
  const session = sessionId(1)
  const origin: Origin = { device: deviceOf(session), session, seq, time: { ms: seq, counter: 0 } }
  const ops = Array.from({ length: OPS }, (_, index) => op(`${seq}-${index}`))
  return commitOf(origin, [sectionOf(entity, encodeCanonical([[], ops]))])
}

interface Counting {
  readonly entities: Entities
  /** How often a mirror was asked for. */
  made(): number
  /** How often a state was loaded. */
  opened(): number
}

/** Entities of one shape. */
async function countingEntities(
  shape: Shape,
  scheduler: Scheduler = manualScheduler(),
  store: RecordingStore = recordingStore(),
  trace?: Trace,
): Promise<Counting> {
  const inner = nativeModel(shape)
  let made = 0
  let opened = 0
  const model: StateModel = {
    version: inner.version,
    open: async (snapshot) => {
      opened++
      const state = await inner.open(snapshot)
      return new Proxy(state, {
        get: (target, name) => {
          if (name === 'mirror') made++
          const value: unknown = Reflect.get(target, name, target)
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
    },
  }
  const entities = await openEntities({
    store,
    models: new Map([
      ['large', { signature: '', lifecycle: 'folded-as-delivered', load: async () => model }],
    ]),
    scheduler,
    deviceOf,
    lineageOf: () => rootLineage,
    settled: async () => undefined,
    isUnderstood: () => true,
    trace,
  })
  return { entities, made: () => made, opened: () => opened }
}
