import type {
  Body,
  Commit,
  EntityKey,
  EntityState,
  Origin,
  Scheduler,
  StateModel,
} from '@peerplane/core'
import { rootLineage } from '@peerplane/core/testing'
import { expect, test } from 'vitest'

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

const key = 'slow/one' as EntityKey
const BODY_BYTES = 1_600 * 1024

/** Its states put off what they are given, and count the bytes that they then have to do when they are looked at. */
interface Slow {
  readonly entities: Entities
  /** Ends one turn of the event loop. */
  turn(): Promise<void>
  /** How many parts were done. */
  parts(): number
  /** How many bytes were done at once. */
  atOnce(): number
}

async function slow(): Promise<Slow> {
  const counts = { parts: 0, atOnce: 0 }
  const model: StateModel = { version: 1, open: async () => stateOf(counts) }
  const turns = manualScheduler()
  // Nothing is flushed without a call.
  const scheduler: Scheduler = {
    after: (ms, task) => (ms === 0 ? turns.after(0, task) : () => undefined),
  }
  const lifecycle = 'folded-when-opened'
  const entities = await openEntities({
    store: recordingStore(),
    models: new Map([['slow', { signature: '', lifecycle, load: async () => model }]]),
    scheduler,
    deviceOf,
    lineageOf: () => rootLineage,
    settled: async () => undefined,
    isUnderstood: () => true,
  })
  return {
    entities,
    turn: async () => {
      await new Promise((resolve) => setImmediate(resolve))
      turns.run()
      await new Promise((resolve) => setImmediate(resolve))
    },
    parts: () => counts.parts,
    atOnce: () => counts.atOnce,
  }
}

function stateOf(counts: { parts: number; atOnce: number }): EntityState {
  let left = 0
  const settle = (): string => {
    counts.atOnce += left
    left = 0
    return ''
  }
  return {
    get mirror() {
      return settle()
    },
    get version() {
      return settle()
    },
    problem: undefined,
    skipped: undefined,
    exists: true,
    changedMs: 0,
    size: { bytes: 0, ops: 0, mostBytes: undefined, mostOps: undefined },
    isLarge: false,
    fold: (bodies: readonly Body[]) => {
      for (const { bytes } of bodies) left += bytes.length
      return []
    },
    advance: (most) => {
      if (left <= most) return false
      counts.parts++
      left -= BODY_BYTES
      return left > most
    },
    begin: () => {
      throw new Error('no command')
    },
    identify: () => undefined,
    snapshot: () => new Uint8Array(settle().length),
    close: () => undefined,
  }
}

function commit(seq: number): Commit {
  const session = sessionId(1)
  const origin: Origin = { device: deviceOf(session), session, seq, time: { ms: seq, counter: 0 } }
  return commitOf(origin, [sectionOf(key, new Uint8Array(BODY_BYTES))])
}

const commits = (from: number, count: number): Commit[] =>
  Array.from({ length: count }, (_, i) => commit(from + i))

/** Whether it is done, and after how many turns. */
async function turnsOf(promise: Promise<unknown>, { turn }: Slow): Promise<number> {
  let isDone = false
  void promise.then(() => (isDone = true))
  let turns = 0
  for (await new Promise((resolve) => setImmediate(resolve)); !isDone; turns++) await turn()
  return turns
}

test('what an entity has put off is done a part in each turn before anybody looks at it', async () => {
  const kept = await slow()
  const { entities } = kept
  await entities.fold(commits(1, 5))
  expect(await turnsOf(entities.open(key), kept)).toBe(4)
  expect((await entities.open(key)).mirror).toBe('')
  expect(kept.parts()).toBe(5)

  // A little more waits until somebody looks at it.
  await entities.fold(commits(6, 2))
  expect(kept.parts()).toBe(5)
  expect(await turnsOf(entities.list('slow'), kept)).toBe(1)
  expect(kept.parts()).toBe(7)

  // Much more does not wait: it would come faster than it is done.
  expect(await turnsOf(entities.fold(commits(8, 6)), kept)).toBe(3)
  expect(kept.parts()).toBe(11)
  expect(await turnsOf(entities.flush(), kept)).toBe(1)
  expect(kept.parts()).toBe(13)
  expect(kept.atOnce()).toBe(0)
  await entities.close()
})

test('who closes the entities does not wait for what is put off', async () => {
  const kept = await slow()
  await kept.entities.fold(commits(1, 5))
  const opened = kept.entities.open(key).catch((error: unknown) => error)
  await new Promise((resolve) => setImmediate(resolve))
  await kept.entities.close()
  expect(await opened).toMatchObject({ code: 'closed' })
  expect(kept.parts()).toBe(1)
})
