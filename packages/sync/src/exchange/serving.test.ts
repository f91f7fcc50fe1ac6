import {
  depsDigest,
  encodeBatch,
  hash,
  limits,
  makeBatch,
  makeCommit,
  PeerplaneError,
  toHex,
  utf8,
  type BatchId,
  type EntityKey,
  type Run,
  type SessionId,
} from '@peerplane/core'
import { describe, expect, it } from 'vitest'

import { outlineOf } from '../wire/batch-outline.ts'
import { sizeOfRun } from '../wire/messages.ts'
import { Serving } from './serving.ts'

const idOf = (name: string) => toHex(hash('test', utf8(name)).slice(0, 16)) as SessionId

function batchOf(session: SessionId, firstSeq: number, count: number, ms: number, signed = true) {
  const seed = new Uint8Array(16)
  const commits = Array.from({ length: count }, (_, i) =>
    makeCommit(
      session,
      {
        seq: firstSeq + i,
        deps: [],
        digest: depsDigest([]),
        time: { ms: ms + i, counter: 3 },
      },
      [
        {
          entity: 'note/1' as EntityKey,
          modelVersion: 1,
          body: new Uint8Array(300),
        },
      ],
      seed,
    ),
  )
  const [first, ...rest] = commits
  const batch = makeBatch(toHex(hash('test', utf8('previous'))) as BatchId, [first!, ...rest], seed)
  return encodeBatch(signed ? { ...batch, signature: new Uint8Array(64) } : batch)
}

describe('the outline of a batch', () => {
  it('is read from its beginning, whatever the sizes', () => {
    for (const count of [1, 23, 24, 255, 256, 1024]) {
      for (const signed of [true, false]) {
        const outline = outlineOf(batchOf(idOf('s'), 5, count, 2 ** 41, signed))
        expect(outline).toEqual({ commits: count, time: { ms: 2 ** 41, counter: 3 } })
      }
    }
  })

  it('of damaged bytes is refused', () => {
    const batch = batchOf(idOf('s'), 1, 2, 7)
    for (let length = 0; length < 88; length++) {
      expect(() => outlineOf(batch.slice(0, length))).toThrow(PeerplaneError)
    }
  })
})

/** A log whose sessions have one batch of `commits` at each of the times. */
function logOf(sessions: Record<string, readonly number[]>, commits = 1) {
  const batches = new Map(
    Object.entries(sessions).map(([name, times]) => [
      idOf(name),
      times.map((ms, i) => batchOf(idOf(name), i * commits + 1, commits, ms)),
    ]),
  )
  return {
    async range(session: SessionId, from: number, maxBytes: number): Promise<Run | undefined> {
      const rest = batches.get(session)?.slice(Math.floor((from - 1) / commits)) ?? []
      const [first] = rest
      if (!first) return undefined
      const fitting = Math.max(1, Math.floor(maxBytes / first.length))
      return { session, from, opening: undefined, batches: rest.slice(0, fitting) }
    },
  }
}

function serve(log: ReturnType<typeof logOf>) {
  const messages: (readonly Run[])[] = []
  const sent: Run[] = []
  const done: unknown[] = []
  const failed: unknown[] = []
  const free: (() => void)[] = []
  const serving = new Serving({
    replica: log,
    send: (runs) => {
      messages.push(runs)
      sent.push(...runs)
      return new Promise((resolve) => free.push(resolve))
    },
    done: (range) => done.push(range),
    failed: (error) => failed.push(error),
  })
  const rest = () => new Promise((resolve) => setImmediate(resolve))
  /** Lets the link take everything. */
  const drain = async () => {
    for (await rest(); free.length > 0; await rest()) free.shift()!()
  }
  return { serving, messages, sent, done, failed, rest, drain }
}

describe('serving', () => {
  it('sends a range in order, one piece at a time', async () => {
    const times = Array.from({ length: 3_000 }, (_, i) => i)
    const { serving, sent, done, rest, drain } = serve(logOf({ a: times }))
    serving.add({ session: idOf('a'), from: 11, to: 3_000 })
    await rest()
    expect(sent).toHaveLength(1)
    await drain()
    let next = 11
    for (const run of sent) {
      expect(run.from).toBe(next)
      next += run.batches.length
      const size = run.batches.reduce((sum, batch) => sum + batch.length, 0)
      expect(size).toBeLessThan(270_000)
    }
    expect(next).toBe(3_001)
    expect(done).toEqual([{ session: idOf('a'), to: 3_000, complete: true }])
  })

  it('sends several ranges in the order of their clocks', async () => {
    const first = Array.from({ length: 1_000 }, (_, i) => i)
    const second = Array.from({ length: 1_000 }, (_, i) => 5_000 + i)
    const { serving, sent, drain } = serve(logOf({ second, first }))
    serving.add({ session: idOf('second'), from: 1, to: 1_000 })
    serving.add({ session: idOf('first'), from: 1, to: 1_000 })
    await drain()
    const order = sent.map(({ session }) => (session === idOf('first') ? 1 : 2))
    expect(order).toEqual([...order].sort((a, b) => a - b))
    expect(order.length).toBeGreaterThan(4)
  })

  it('puts short ranges into one message, each once, as long as they are few bytes', async () => {
    const names = Array.from({ length: 500 }, (_, i) => `s${i}`)
    const short = Object.fromEntries(names.map((name, i) => [name, [i, 1_000 + i]]))
    const { serving, messages, done, drain } = serve(logOf(short))
    for (const name of names) serving.add({ session: idOf(name), from: 1, to: 2 })
    await drain()
    expect(messages.flat()).toHaveLength(500)
    expect(messages.length).toBeLessThan(20)
    expect(done).toHaveLength(500)
    for (const runs of messages) {
      expect(runs.length).toBeLessThanOrEqual(limits.runsPerMessage)
      expect(new Set(runs.map(({ session }) => session)).size).toBe(runs.length)
      expect(runs.reduce((sum, run) => sum + sizeOfRun(run), 0)).toBeLessThan(limits.runsBytes)
    }
  })

  it('sends nothing after the proof of a fork, however far it was asked for', async () => {
    const run = {
      session: idOf('a'),
      from: 1,
      opening: undefined,
      batches: [batchOf(idOf('a'), 1, 2, 5)],
      fork: new Uint8Array(3),
    }
    const { serving, sent, done, drain } = serve({ range: async () => run })
    serving.add({ session: run.session, from: 1, to: 2 ** 53 - 4 })
    await drain()
    expect(sent).toEqual([run])
    expect(done).toEqual([{ session: run.session, to: 2 ** 53 - 4, complete: true }])
  })

  it('replaces a range that is asked for again', async () => {
    const { serving, sent, done, rest, drain } = serve(logOf({ a: [1, 2, 3] }))
    serving.add({ session: idOf('a'), from: 1, to: 3 })
    await rest()
    serving.add({ session: idOf('a'), from: 2, to: 3 })
    await drain()
    expect(sent.map(({ from }) => from)).toEqual([1, 2])
    expect(done).toHaveLength(1)
  })

  it('says how far it came when something is not held', async () => {
    const { serving, done, drain } = serve(logOf({ a: [1, 2] }))
    serving.add({ session: idOf('a'), from: 1, to: 5 })
    serving.add({ session: idOf('b'), from: 3, to: 4 })
    await drain()
    expect(done).toEqual([
      { session: idOf('b'), to: 2, complete: false },
      { session: idOf('a'), to: 2, complete: false },
    ])
  })

  it('gives a range up when the log cannot be read, and serves the next', async () => {
    const log = logOf({ a: [1] })
    let broken = true
    const { serving, sent, failed, done, drain } = serve({
      range: (session, from, maxBytes) =>
        broken ? Promise.reject(new Error('disk')) : log.range(session, from, maxBytes),
    })
    serving.add({ session: idOf('a'), from: 1, to: 1 })
    await drain()
    expect(failed).toHaveLength(1)
    expect(done).toEqual([{ session: idOf('a'), to: 0, complete: false }])
    broken = false
    serving.add({ session: idOf('a'), from: 1, to: 1 })
    await drain()
    expect(sent).toHaveLength(1)
  })

  it('sends nothing after it was stopped', async () => {
    const { serving, sent, rest, drain } = serve(
      logOf({ a: Array.from({ length: 3_000 }, (_, i) => i) }),
    )
    serving.add({ session: idOf('a'), from: 1, to: 3_000 })
    await rest()
    serving.stop()
    await drain()
    expect(sent).toHaveLength(1)
  })
})
