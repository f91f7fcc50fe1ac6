import {
  counter,
  encodeCanonical,
  map,
  record,
  register,
  set,
  type Commit,
  type EntityKey,
  type Origin,
  type Shape,
  type StateModel,
  type Value,
} from '@peerplane/core'
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
} from './held-log.fixture.test.ts'
import { openEntities } from './open-entities.ts'

const COMMITS = 20
const OPS = 500

/** For each kernel, a shape and an op that makes its state larger. */
const growing: readonly (readonly [string, Shape, (text: string) => Value])[] = [
  ['counter', counter(), () => 1],
  ['register', register(''), (text) => [0, text, []]],
  ['set', set<string>(), (text) => [1, text, []]],
  ['map', map(register('')), (text) => [3, text, [0, '', []]]],
  ['record', record({ a: register('') }), (text) => ['a', [0, text, []]]],
]

test.each(growing)(
  'a %s that grows is not made into an application value before somebody looks at it',
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

const key = 'large/one' as EntityKey

function commit(seq: number, op: (text: string) => Value): Commit {
  const session = sessionId(1)
  const origin: Origin = { device: deviceOf(session), session, seq, time: { ms: seq, counter: 0 } }
  const ops = Array.from({ length: OPS }, (_, index) => op(`${seq}-${index}`))
  return commitOf(origin, [sectionOf(key, encodeCanonical([[], ops]))])
}

/** Entities of one shape; `made` is how often a mirror was asked for. */
async function countingEntities(
  shape: Shape,
): Promise<{ readonly entities: Entities; made(): number }> {
  const inner = nativeModel(shape)
  let made = 0
  const model: StateModel = {
    version: inner.version,
    open: async (snapshot) => {
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
    store: recordingStore(),
    models: new Map([
      ['large', { signature: '', lifecycle: 'folded-as-delivered', load: async () => model }],
    ]),
    scheduler: manualScheduler(),
    deviceOf,
    settled: async () => undefined,
    isUnderstood: () => true,
  })
  return { entities, made: () => made }
}
