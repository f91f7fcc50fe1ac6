import type { EntityKey, Origin, Store } from '@peerplane/core'
import { rootLineage } from '@peerplane/core/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { clearRange } from '../storage/checked-store.ts'
import {
  commitOf,
  remoteBody,
  heldCommits,
  HeldLog,
  manualScheduler,
  models,
  recordingStore,
  refold,
  runOwn,
  sectionOf,
  sessionId,
  storeAfter,
  type Handle,
  deviceOf,
} from './held-log.fixture.test.ts'
import { openEntities } from './open-entities.ts'

/*
 * A device runs commands, receives commits and flushes rows, all of it interleaved. Then it loses everything behind each of its writes in
 * turn: what it shows after opening again must be what its log holds, no more and no less.
 */

const keys = ['row/a', 'row/b', 'page/a', 'page/b'] as EntityKey[]
const key = fc.constantFrom(...keys)
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('own' as const),
      on: fc.uniqueArray(key, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('remote' as const),
      on: fc.uniqueArray(key, { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ do: 'flush' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'settle' as const }) },
  { weight: 3, arbitrary: fc.nat(6).map((ticks) => ({ do: 'wait' as const, ticks })) },
)

test('after a crash behind any write, states are what the log holds', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 25 }), async (steps) => {
      const store = recordingStore()
      await device(store, steps)
      for (let kept = 0; kept <= store.writes.length; kept++) {
        const rest = await storeAfter(store.writes.slice(0, kept))
        const held = await heldCommits(rest)
        const log = await storeAfter(store.writes.slice(0, kept).filter(isOfLog))
        const [reopened, refolded] = [await openStore(rest), await openStore(log)]
        for (const [session, seq] of reopened.folded()) {
          expect(held.filter((commit) => commit.session === session).length).toBeGreaterThanOrEqual(
            seq,
          )
        }
        await refold(reopened, rest)
        await refold(refolded, log)
        for (const each of keys) {
          const [one, other] = [await reopened.open(each), await refolded.open(each)]
          expect(one.snapshot()).toEqual(other.snapshot())
        }
        expect(await reopened.list('row')).toEqual(await refolded.list('row'))
      }
    }),
    { numRuns: 60 },
  )
})

const isOfLog = (writes: readonly { readonly key: Uint8Array }[]): boolean =>
  writes.every(({ key: [table] }) => table === 0x10)

const openStore = (store: Store): ReturnType<typeof openEntities> =>
  openEntities({
    store: { ...store, clear: (range) => clearRange(store, range) },
    models,
    scheduler: manualScheduler(),
    deviceOf,
    lineageOf: () => rootLineage,
    isUnderstood: () => true,
    settled: () => Promise.resolve(),
  })

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

async function device(
  store: ReturnType<typeof recordingStore>,
  steps: readonly Step[],
): Promise<void> {
  const log = new HeldLog(store)
  const settled = log.settle
  const entities = await openEntities({
    store,
    models,
    scheduler: manualScheduler(),
    deviceOf,
    lineageOf: () => rootLineage,
    isUnderstood: () => true,
    settled,
  })
  const running: Promise<unknown>[] = []
  const seqs = [0, 0]
  const next = (session: 0 | 1): Origin => ({
    device: deviceOf(sessionId(session)),
    session: sessionId(session),
    seq: ++seqs[session]!,
    time: { ms: seqs[0]! + seqs[1]!, counter: 0 },
  })
  const change = (origin: Origin) => (handle: Handle) => {
    handle.title.set(`${origin.session.slice(-1)}:${origin.seq}`)
    handle.counts.get('x').increment()
    if (origin.seq % 3 === 0) handle.counts.delete('x')
  }
  for (const each of steps) {
    if (each.do === 'own') {
      const origin = next(0)
      await runOwn(
        entities,
        log,
        origin,
        each.on.map((on) => [on, change(origin)] as const),
      )
    } else if (each.do === 'remote') {
      const origin = next(1)
      const body = await remoteBody(origin, change(origin))
      const commit = commitOf(
        origin,
        each.on.map((on) => sectionOf(on, body)),
      )
      await log.write([commit])
      running.push(entities.fold([commit]))
    } else if (each.do === 'flush') running.push(entities.flush())
    else if (each.do === 'settle') running.push(log.settle())
    else for (let i = 0; i < each.ticks; i++) await Promise.resolve()
  }
  await Promise.all(running)
  await entities.close()
}
