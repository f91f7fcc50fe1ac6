import { encodeBatch, limits, markOf, PeerplaneError } from '@peerplane/core'
import type { Admitted, Header, SessionId, Tip } from '@peerplane/core'
import { beforeEach, describe, expect, test } from 'vitest'

import { createMemoryStore } from '../storage/memory-store.ts'
import { handmade, partOf, type Handmade, type Headers } from './handmade.fixture.test.ts'
import {
  contents,
  members,
  openPeer,
  runOf,
  sync,
  write,
  writeMany,
  type Peer,
} from './peer.fixture.test.ts'

const five = await members(5)
const nowhere = '0'.repeat(32) as SessionId
/** A commit that depends on what nobody has. */
const bogus: Partial<Header> = {
  deps: [{ session: nowhere, seq: 1 }],
  digest: new Uint8Array(16),
}
const plain = (count: number): Headers => Array.from({ length: count }, () => ({}))

/** A session of the last device but `index` whose `count` commits can never be delivered. */
async function poison(count: number, seed: number, index = 0): Promise<Handmade> {
  const batches: Headers[] = []
  for (let left = count; left > 0; left -= limits.batchCommits) {
    const size = Math.min(left, limits.batchCommits)
    batches.push(left === count ? [bogus, ...plain(size - 1)] : plain(size))
  }
  return handmade(five, 4 - index, seed, batches)
}

/** Offers a log the batches of a run one by one, until one is not stored. */
async function feed({ log }: Peer, run: Handmade): Promise<Admitted | undefined> {
  let admitted: Admitted | undefined
  for (const index of run.made.keys()) {
    admitted = await log.admit(partOf(run, index, index + 1))
    if (admitted.full) break
  }
  return admitted
}

let alice: Peer
let bob: Peer
let carol: Peer

beforeEach(async () => {
  ;[alice, bob, carol] = [await openPeer(five, 0), await openPeer(five, 1), await openPeer(five, 2)]
})

/** Two sessions of which neither can be delivered without the other. */
async function interleave(rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await write(alice, `a${round}`)
    await sync(alice, bob)
    await write(bob, `b${round}`)
    await sync(bob, alice)
  }
}

describe('a waiting room that is full', () => {
  test('of what can never be delivered keeps nobody else out, also after a restart', async () => {
    await interleave(6)
    await feed(carol, await poison(limits.waitingCommits, 1))
    expect(carol.log.status().waiting.commits).toBe(limits.waitingCommits)
    carol = await openPeer(five, 2, {
      store: createMemoryStore(carol.store.entries()),
      seed: 1,
    })
    const [first, second] = [alice.log.next().session, bob.log.next().session]
    await carol.log.admit(await runOf(alice, second))
    await carol.log.admit(await runOf(alice, first))
    expect(contents(carol)).toHaveLength(12)
    expect(carol.log.status().waiting.commits).toBe(0)
  })

  test('has those leave who have most, as far as it takes, and each as if it had never come', async () => {
    const [large, small] = [await poison(6000, 1), await poison(3000, 2)]
    const other = await poison(900, 3, 1)
    for (const run of [large, small, other]) await feed(carol, run)
    const more = await poison(1024, 4, 1)
    await feed(carol, more)
    expect([...carol.log.stored().keys()]).toEqual([small, other, more].map((run) => run.session))
    expect(carol.log.status().waiting.commits).toBe(3000 + 900 + 1024)

    const again = await openPeer(five, 2, {
      store: createMemoryStore(carol.store.entries()),
      seed: 1,
    })
    expect(again.log.stored()).toEqual(carol.log.stored())
    expect(again.log.status().waiting).toEqual(carol.log.status().waiting)
    await feed(again, await poison(2000, 1))
    expect(again.log.stored().get(large.session)?.seq).toBe(2000)
  })

  test('has those leave for whom it has no room when it is restored', async () => {
    // Both are on one disk: the store wrote the second one down and said that it could not.
    const other = await openPeer(five, 2)
    const [large, small] = [await poison(6000, 1), await poison(4500, 2, 1)]
    await feed(carol, large)
    await feed(other, small)
    const entries = [...carol.store.entries(), ...other.store.entries()]
    for (let opening = 1; opening <= 2; opening++) {
      const store = createMemoryStore(entries)
      const again = await openPeer(five, 2, { store, seed: opening })
      expect(again.log.status().waiting.commits).toBe(4500)
      expect([...again.log.stored().keys()]).toEqual([small.session])
      entries.splice(0, entries.length, ...store.entries())
    }
  })

  test('takes no more of who has most already', async () => {
    await feed(carol, await poison(limits.waitingCommits, 1))
    const { session, seq } = bogus.deps![0]!
    const refused = { stored: 0, awaits: [{ session, seq }], full: true }
    expect(await feed(carol, await poison(1, 2))).toMatchObject(refused)
    expect(await feed(carol, await poison(limits.waitingCommits + 1, 3, 1))).toMatchObject(refused)
    expect(carol.log.status().waiting.commits).toBeLessThanOrEqual(limits.waitingCommits)
  })

  test('does not keep out the part of a run that need not wait', async () => {
    await feed(carol, await poison(limits.waitingCommits, 1))
    const run = await handmade(five, 4, 2, [[{}], [{}, {}], [bogus]])
    expect(await carol.log.admit(run)).toMatchObject({ stored: 3, released: 0 })
    expect(carol.log.delivered().get(run.session)?.seq).toBe(3)
    expect(carol.log.stored().get(run.session)?.seq).toBe(3)
    expect((await carol.log.range(run.session, 1, 1 << 20))!.batches).toHaveLength(2)
  })
})

describe('what is delivered of a run', () => {
  test('can be sent on alone: a run that lacks the signature where delivery halts is refused', async () => {
    const run = await handmade(five, 4, 1, [[{}], [bogus, {}]])
    const batches = [encodeBatch({ ...run.made[0]!, signature: undefined }), run.batches[1]!]
    await expect(carol.log.admit({ ...run, batches })).rejects.toMatchObject({
      code: 'broken-chain',
    })
    expect(carol.log.stored().size).toBe(0)
    await carol.log.admit(run)
    expect(carol.log.delivered().get(run.session)?.seq).toBe(1)
    const served = (await carol.log.range(run.session, 1, 1 << 20))!
    expect(await bob.log.admit(served)).toMatchObject({ stored: 1, released: 0 })
    expect(bob.log.status().waiting.commits).toBe(0)
  })

  test('can leave also where it halts because its author lied about what it depends on', async () => {
    await write(alice, 'a')
    await sync(alice, carol)
    const deps = [{ session: alice.log.next().session, seq: 1 }]
    const lie = { deps, digest: new Uint8Array(16) }
    const run = await handmade(five, 4, 1, [[{}], [lie]])
    const batches = [encodeBatch({ ...run.made[0]!, signature: undefined }), run.batches[1]!]
    await expect(carol.log.admit({ ...run, batches })).rejects.toMatchObject({
      code: 'broken-chain',
    })
    await carol.log.admit(run)
    expect(carol.log.status().contradicted).toEqual([run.session])
    expect((await carol.log.range(run.session, 1, 1 << 20))!.batches).toHaveLength(1)
  })
})

describe('the parents of a session', () => {
  const parented = (parents: readonly Tip[], seed: number): Promise<Handmade> =>
    handmade(five, 4, seed, [[{}], [{}]], { parents })

  test('that nobody has keep it from being announced to anybody', async () => {
    const parents = [{ session: nowhere, seq: 9, mark: '00'.repeat(16) }]
    const run = await parented(parents, 1)
    await carol.log.admit(run)
    expect(carol.log.delivered().size).toBe(0)
    expect(carol.log.status().waiting.commits).toBe(2)
    expect(await carol.log.range(run.session, 1, 1 << 20)).toBeUndefined()
  })

  test('come first, and must be those that are held', async () => {
    const old = await handmade(five, 4, 1, [[{}], [{}]])
    const tip = { session: old.session, seq: 2, mark: markOf(old.made[1]!.id) }
    const young = await parented([tip], 2)
    const wrong = await parented([{ ...tip, mark: '00'.repeat(16) }], 3)
    await carol.log.admit(young)
    expect(carol.seen).toEqual([])
    expect(await carol.log.admit(old)).toMatchObject({ stored: 2, released: 2 })
    expect(carol.seen).toHaveLength(4)
    await carol.log.admit(wrong)
    expect(carol.seen).toHaveLength(4)
    expect(carol.log.status().contradicted).toEqual([wrong.session])
  })

  test('do not bind a session to a version of them that was forked', async () => {
    const old = await handmade(five, 4, 1, [[{}], [{}]])
    const fork = await handmade(five, 4, 1, [[{}], [{ time: { ms: 2, counter: 0 } }]])
    const tip = { session: old.session, seq: 2, mark: markOf(old.made[1]!.id) }
    const young = await parented([tip], 2)
    await carol.log.admit(fork)
    await carol.log.admit(young)
    expect(carol.log.status().contradicted).toEqual([young.session])
    expect(await carol.log.admit(old)).toMatchObject({ stored: 0, released: 2 })
    expect(carol.log.delivered().get(young.session)?.seq).toBe(2)
  })
})

test('a session that cannot be compared because the store does not answer is reported, tried again, and holds up no other', async () => {
  const dave = await openPeer(five, 3)
  await write(alice, 'a1')
  await write(dave, 'd1')
  await sync(alice, bob)
  await sync(dave, bob)
  await write(bob, 'b')
  await write(alice, 'a2')
  await sync(alice, carol)
  await carol.log.close()
  let broken = false
  carol = await openPeer(five, 2, {
    store: createMemoryStore(carol.store.entries()),
    seed: 1,
    through: (store) => ({
      ...store,
      scan: async (range) => {
        if (broken) throw new PeerplaneError('store-failed', 'no')
        return store.scan(range)
      },
    }),
  })
  const dependent = bob.log.next().session
  await carol.log.admit(await runOf(bob, dependent))
  broken = true
  expect(await carol.log.admit(await runOf(dave))).toMatchObject({ stored: 1, released: 0 })
  expect(carol.log.status().unreadable).toEqual([dependent])
  const erin = await openPeer(five, 4)
  await write(erin, 'e')
  await carol.log.admit(await runOf(erin))
  expect(contents(carol)).toEqual(['a1', 'a2', 'd1', 'e'])
  broken = false
  await write(erin, 'e2')
  await sync(erin, carol)
  expect(contents(carol).toSorted()).toEqual(['a1', 'a2', 'b', 'd1', 'e', 'e2'])
  expect(carol.log.status().unreadable).toEqual([])
})

test('many sessions that wait do not make it slow to be let in', async () => {
  await writeMany(alice, ['a'])
  for (let i = 0; i < 300; i++) await feed(carol, await poison(1, 100 + i))
  expect(carol.log.status().waiting.commits).toBe(300)
  expect(await carol.log.admit(await runOf(alice))).toMatchObject({ stored: 1, released: 0 })
})
