import {
  limits,
  type Body,
  type EntityKey,
  type EntityState,
  type Origin,
  type Scheduler,
} from '@peerplane/core'
import { rootLineage } from '@peerplane/core/testing'
import { expect, test } from 'vitest'

import type { DeclaredModel, Entities } from './entities.ts'
import {
  bodyOf,
  commitOf,
  deviceOf,
  models,
  recordingStore,
  remoteBody,
  sectionOf,
  sessionId,
  type Handle,
  type RecordingStore,
} from './held-log.fixture.test.ts'
import { openEntities } from './open-entities.ts'

/** Runs the tasks of the idle time when told to, and no others. */
interface IdleScheduler extends Scheduler {
  /** The idle time passes. */
  pass(): void
  readonly isWaiting: boolean
}

function idleScheduler(): IdleScheduler {
  let due: (() => void) | undefined
  return {
    after: (ms, task) => {
      if (ms !== limits.idleEntityMs) return () => undefined
      due = task
      return () => {
        if (due === task) due = undefined
      }
    },
    pass() {
      const task = due
      due = undefined
      task?.()
    },
    get isWaiting() {
      return due !== undefined
    },
  }
}

/** Which states are in memory, by entity. */
type InMemory = Map<string, EntityState>

/** The declared models; `bytes` is the size of every state, if it is given. */
function watchedModels(inMemory: InMemory, bytes?: number): ReadonlyMap<string, DeclaredModel> {
  const watch = (declared: DeclaredModel): DeclaredModel => ({
    ...declared,
    load: async () => {
      const model = await declared.load()
      return {
        ...model,
        open: async (snapshot, entity) => {
          const state = await model.open(snapshot, entity)
          const close = state.close.bind(state)
          state.close = () => {
            inMemory.delete(entity!)
            close()
          }
          const { size } = state
          if (bytes !== undefined)
            Object.defineProperty(state, 'size', { value: { ...size, bytes } })
          inMemory.set(entity!, state)
          return state
        },
      }
    },
  })
  return new Map([...models].map(([type, declared]) => [type, watch(declared)]))
}

const origin = (seq: number): Origin => ({
  device: deviceOf(sessionId(1)),
  session: sessionId(1),
  seq,
  time: { ms: seq, counter: 0 },
})

interface Opened {
  readonly entities: Entities
  readonly inMemory: InMemory
  readonly scheduler: IdleScheduler
}

async function open(store: RecordingStore = recordingStore(), bytes?: number): Promise<Opened> {
  const [inMemory, scheduler]: [InMemory, IdleScheduler] = [new Map(), idleScheduler()]
  const entities = await openEntities({
    store,
    models: watchedModels(inMemory, bytes),
    scheduler,
    deviceOf,
    lineageOf: () => rootLineage,
    settled: async () => undefined,
    isUnderstood: () => true,
  })
  return { entities, inMemory, scheduler }
}

const setTitle =
  (title: string) =>
  (handle: Handle): void =>
    handle.title.set(title)

async function remote(entities: Entities, seq: number, keys: readonly EntityKey[]): Promise<void> {
  const body = await remoteBody(origin(seq), setTitle(`v${seq}`))
  await entities.fold([
    commitOf(
      origin(seq),
      keys.map((key) => sectionOf(key, body)),
    ),
  ])
}

test.each(['row', 'page'])(
  'an idle %s leaves memory and comes back as it was; one that is watched or used stays',
  async (type) => {
    const { entities, inMemory, scheduler } = await open()
    const keys = ['idle', 'watched', 'used'].map((id) => `${type}/${id}` as EntityKey)
    const [idle, watched, used] = keys as [EntityKey, EntityKey, EntityKey]
    entities.pin(watched)
    await remote(entities, 1, keys)
    const before = (await entities.openAll(keys))[0]!.mirror
    await entities.flush()
    scheduler.pass()
    expect(inMemory.size).toBe(3)
    await entities.open(used)
    scheduler.pass()
    // What waits beside a snapshot becomes part of it first.
    await entities.flush()
    expect([...inMemory.keys()].sort()).toEqual([used, watched].sort())
    expect((await entities.open(idle)).mirror).toEqual(before)
    expect(inMemory.has(idle)).toBe(true)
    entities.unpin(watched)
    for (let time = 0; time < 2; time++) {
      scheduler.pass()
      await entities.flush()
    }
    expect([inMemory.size, scheduler.isWaiting]).toEqual([0, false])
    await remote(entities, 2, [idle])
    expect((await entities.open(idle)).mirror).toMatchObject({ title: 'v2' })
    expect(scheduler.isWaiting).toBe(true)
    await entities.close()
    expect(scheduler.isWaiting).toBe(false)
  },
)

test('an entity that was changed and is not stored yet does not leave memory', async () => {
  const store = recordingStore()
  const { entities, inMemory, scheduler } = await open(store)
  const key = 'row/own' as EntityKey
  const draft = (await entities.open(key)).begin(origin(1))
  setTitle('mine')(draft.handle as Handle)
  const body: Body = bodyOf(origin(1), draft.finish()!)
  entities.touch(key, body)
  entities.commitFolded(body.origin.session, 1)
  store.failAfter = store.writes.length
  for (let time = 0; time < 3; time++) scheduler.pass()
  await expect(entities.flush()).rejects.toThrow('the disk is gone')
  scheduler.pass()
  expect(inMemory.has(key)).toBe(true)
  store.failAfter = Infinity
  await entities.flush()
  scheduler.pass()
  expect(inMemory.has(key)).toBe(false)
  expect((await entities.open(key)).mirror).toMatchObject({ title: 'mine' })
  await entities.close()
})

test('the entities used least recently leave memory if all of them are too large, whatever their number', async () => {
  const bytes = limits.openEntitiesBytes / 8
  const { entities, inMemory } = await open(undefined, bytes)
  const keys = Array.from({ length: 20 }, (_, i) => `row/${i}` as EntityKey)
  entities.pin(keys[0]!)
  await remote(entities, 1, keys)
  await entities.flush()
  expect([...inMemory.keys()].sort()).toEqual([keys[0]!, ...keys.slice(13)].sort())
  for (const key of keys.slice(1, 13)) await entities.open(key)
  expect([...inMemory.keys()].sort()).toEqual([keys[0]!, ...keys.slice(6, 13)].sort())
  expect((await entities.open(keys[19]!)).mirror).toMatchObject({ title: 'v1' })
  await entities.close()
})
