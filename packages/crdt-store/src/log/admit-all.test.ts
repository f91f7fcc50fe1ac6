import { encodeBatch, limits, PeerplaneError, weightOf } from '@peerplane/core'
import type { Run } from '@peerplane/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { handmade, partOf, type Handmade } from './handmade.fixture.test.ts'
import { members, openPeer, runOf, sync, write, type Peer } from './peer.fixture.test.ts'

const four = await members(4)

/** Runs that members can send: sessions that depend on one another, in pieces of any size, a fork, and a forgery. */
async function runsOf(starts: readonly number[], pieceBytes: number): Promise<Run[]> {
  const [bob, carol] = [await openPeer(four, 1), await openPeer(four, 2)]
  for (const [index, writer] of starts.entries()) {
    const [from, to] = writer === 0 ? [carol, bob] : [bob, carol]
    await sync(from, to)
    if (index % 3 === 2) await to.log.retire()
    for (let i = 0; i <= index % 4; i++) await write(to, `${index} ${i}`)
  }
  await sync(bob, carol)
  const runs: Run[] = []
  for (const [session, { seq }] of carol.log.delivered()) {
    for (let at = 1; at <= seq;) {
      const run = (await carol.log.range(session, at, pieceBytes))!
      runs.push(run)
      at += run.batches.length
    }
  }
  const one = await handmade(four, 3, 1, [[{}], [{}], [{}]])
  const other = await handmade(four, 3, 1, [[{}], [{ time: { ms: 2, counter: 0 } }]])
  const unsigned = (await handmade(four, 3, 2, [[{}]])).made[0]!
  const forged = await handmade(four, 3, 2, [[{}]])
  return [
    ...runs,
    partOf(one, 0, 1),
    partOf(one, 1),
    other,
    { ...forged, batches: [encodeBatch({ ...unsigned, signature: new Uint8Array(64) })] },
  ]
}

const stateOf = ({ log }: Peer): unknown => ({
  delivered: log.delivered(),
  stored: log.stored(),
  frozen: log.status().frozen,
  waiting: log.status().waiting,
})

test('runs that are taken together leave what they leave one by one, in every order', async () => {
  let together = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 1, maxLength: 7 }),
      fc.constantFrom(1, 400, 4096),
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      fc.integer({ min: 1, max: 12 }),
      async (starts, pieceBytes, luck, size) => {
        const runs = (await runsOf(starts, pieceBytes))
          .map((run) => ({ run, at: luck.next().value! }))
          .sort((a, b) => a.at - b.at)
          .map(({ run }) => run)
        const [alice, single] = [await openPeer(four, 0), await openPeer(four, 0)]
        // Again and again, because a run may come before the one that it continues.
        for (let round = 0; round < runs.length; round++) {
          for (const group of groupsOf(runs, size)) {
            const expected = []
            for (const run of group) {
              expected.push(
                await single.log.admit(run).catch((error: PeerplaneError) => error.code),
              )
            }
            const admitted = await alice.log.admitAll(group)
            together += group.length - 1
            const codes = admitted.map((each) =>
              each.status === 'rejected' ? (each.reason as PeerplaneError).code : each.value.stored,
            )
            expect(codes).toEqual(
              expected.map((each) => (typeof each === 'string' ? each : each.stored)),
            )
            expect(stateOf(alice)).toEqual(stateOf(single))
          }
          if (alice.log.status().waiting.commits === 0 && round > 2) break
        }
        expect(alice.log.status().waiting.commits).toBe(0)
        expect(new Set(alice.seen)).toEqual(new Set(single.seen))
        expectCausal(alice)
      },
    ),
    { numRuns: 40 },
  )
  expect(together).toBeGreaterThan(100)
})

test('a store that fails leaves nothing of runs that are taken together, and they are good later', async () => {
  const bob = await openPeer(four, 1)
  for (let i = 0; i < 20; i++) {
    await write(bob, `${i}`)
    await bob.log.retire()
  }
  const runs: Run[] = []
  for (const session of bob.log.delivered().keys()) {
    runs.push((await bob.log.range(session, 1, 4096))!)
  }
  let writes = 0
  let broken = true
  const alice = await openPeer(four, 0, {
    through: (store) => ({
      ...store,
      write: async (all, durability) => {
        writes++
        if (broken) throw new PeerplaneError('store-failed', 'no')
        await store.write(all, durability)
      },
    }),
  })
  const before = alice.store.entries()
  const failed = await alice.log.admitAll(runs)
  expect(failed).toHaveLength(20)
  for (const each of failed) {
    expect(each).toMatchObject({ status: 'rejected', reason: { code: 'store-failed' } })
  }
  expect(alice.store.entries()).toEqual(before)
  expect(alice.log.stored().size).toBe(0)
  broken = false
  writes = 0
  const admitted = await alice.log.admitAll(runs)
  expect(admitted.map(({ status }) => status)).toEqual(runs.map(() => 'fulfilled'))
  expect(writes).toBe(1)
  expect(alice.log.delivered()).toEqual(bob.log.delivered())
})

/** Runs of different sessions, that each stand for a little more than half of `runBytes`. */
async function heavyRuns(count: number): Promise<Handmade[]> {
  const headers = Array.from({ length: 4 }, () => Array.from({ length: 1000 }, () => ({})))
  const runs: Handmade[] = []
  for (let seed = 1; seed <= count; seed++) runs.push(await handmade(four, 3, seed, headers))
  const [{ made, batches }] = runs as [Handmade]
  const weight = made.reduce((sum, batch, index) => sum + weightOf(batch, batches[index]!), 0)
  expect(weight).toBeGreaterThan(limits.runBytes / 2)
  expect(weight).toBeLessThan(limits.runBytes)
  return runs
}

const codesOf = (admitted: readonly PromiseSettledResult<unknown>[]): readonly string[] =>
  admitted.map((each) =>
    each.status === 'rejected' ? (each.reason as PeerplaneError).code : 'taken',
  )

test('a forger makes a device hash little more with a message of many runs than with one run', async () => {
  const runs = (await heavyRuns(6)).map(({ made, ...run }): Run => ({
    ...run,
    batches: made.map((batch) => encodeBatch({ ...batch, signature: new Uint8Array(64) })),
  }))
  const alice = await openPeer(four, 0)
  expect(codesOf(await alice.log.admitAll(runs))).toEqual([
    'bad-signature',
    'bad-signature',
    ...Array<string>(4).fill('overloaded'),
  ])
  expect(codesOf(await alice.log.admitAll(runs.map(cutShort)))).toEqual([
    'malformed',
    'malformed',
    ...Array<string>(4).fill('overloaded'),
  ])
})

test('honest runs that stand for more than one run may are all taken', async () => {
  const alice = await openPeer(four, 0)
  const runs = await heavyRuns(6)
  expect(codesOf(await alice.log.admitAll(runs))).toEqual(runs.map(() => 'taken'))
  expect(alice.log.stored().size).toBe(6)
})

/** A run whose last batch ends too early. */
const cutShort = (run: Run): Run => ({
  ...run,
  batches: run.batches.map((batch) => batch.subarray(0, -1)),
})

/** Groups of runs of different sessions, in their order. */
function groupsOf(runs: readonly Run[], size: number): Run[][] {
  const groups: Run[][] = []
  for (const run of runs) {
    const last = groups.at(-1)
    const fits = last && last.length < size && last.every(({ session }) => session !== run.session)
    if (fits) last.push(run)
    else groups.push([run])
  }
  return groups
}

/** Every commit comes after those that it depends on. */
function expectCausal({ seen, commits }: Peer): void {
  const reached = new Map<string, number>()
  for (const id of seen) {
    const { session, header } = commits.get(id)!
    expect(header.seq).toBe((reached.get(session) ?? 0) + 1)
    for (const dep of header.deps) {
      expect(reached.get(dep.session) ?? 0).toBeGreaterThanOrEqual(dep.seq)
    }
    reached.set(session, header.seq)
  }
}

test('forks that are proved together are stored in one write, and honest commits among them are delivered with them', async () => {
  let writes = 0
  const alice = await openPeer(four, 0, {
    through: (store) => ({
      ...store,
      write: (each, durability) => {
        writes++
        return store.write(each, durability)
      },
    }),
  })
  const seeds = Array.from({ length: 10 }, (_, i) => 10 + i)
  for (const seed of seeds) await alice.log.admit(await handmade(four, 3, seed, [[{}], [{}]]))
  const bob = await openPeer(four, 1)
  await write(bob, 'honest')
  const others = await Promise.all(
    seeds.map((seed) => handmade(four, 3, seed, [[{}], [{ time: { ms: 2, counter: 0 } }]])),
  )
  writes = 0
  const outcomes = await alice.log.admitAll([
    ...others.slice(0, 5),
    await runOf(bob),
    ...others.slice(5),
  ])
  expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([])
  expect(writes).toBe(1)
  expect(alice.log.status().frozen).toHaveLength(10)
  expect(alice.seen).toContain(bob.seen[0])
})
