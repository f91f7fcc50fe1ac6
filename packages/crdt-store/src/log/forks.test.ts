import {
  decodeForkProof,
  encodeForkProof,
  forkedTip,
  limits,
  PeerplaneError,
} from '@peerplane/core'
import type { CommitId, Run, SessionId } from '@peerplane/core'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'

import { createMemoryStore } from '../storage/memory-store.ts'
import { handmade, partOf, type Handmade, type Headers } from './handmade.fixture.test.ts'
import {
  deviceOf,
  members,
  openPeer,
  runOf,
  section,
  sync,
  syncForked,
  write,
  type Peer,
} from './peer.fixture.test.ts'

const four = await members(4)
const time = { ms: 2, counter: 0 }
const forkerDevice = deviceOf(four.devices[3]!.key)

/** A session of the last device. */
const version = (batches: readonly Headers[], seed = 1): Promise<Handmade> =>
  handmade(four, 3, seed, batches)

const one = await version([[{}], [{}], [{}]])
const other = await version([[{}], [{ time }], [{}], [{}]])
const { session } = one

let alice: Peer
let bob: Peer
let carol: Peer
let forked: [SessionId, number][]

beforeEach(async () => {
  ;[alice, bob, carol] = [await openPeer(four, 0), await openPeer(four, 1), await openPeer(four, 2)]
  forked = []
  alice.log.onForked((forkedSession, seq) => forked.push([forkedSession, seq]))
})

/** What counts, in the order in which it is folded after a fork. */
async function folded({ log }: Peer): Promise<CommitId[]> {
  const ids: CommitId[] = []
  for await (const chunk of log.replay(new Map())) for (const { id } of chunk) ids.push(id)
  return ids
}

const reopened = ({ store }: Peer, index: number): Promise<Peer> =>
  openPeer(four, index, { store: createMemoryStore(store.entries()), seed: 7 })

describe('a fork', () => {
  test('is proved by two signatures, and the commits of the session at and after the fork have no effect, even after a restart', async () => {
    await alice.log.admit(one)
    expect(await alice.log.admit(other)).toMatchObject({
      stored: 0,
      released: 0,
      forkedBy: forkerDevice,
    })
    const frozen = [{ session, device: forkerDevice, seq: 2 }]
    expect(alice.log.status().frozen).toEqual(frozen)
    expect(forked).toEqual([[session, 2]])
    const before = [one.made[0]!.commits[0]!.id]
    expect(await folded(alice)).toEqual(before)
    const tip = forkedTip({ session, seq: 2, previous: one.made[0]!.id, branches: [] as never })
    expect(alice.log.delivered().get(session)).toEqual(tip)
    expect(alice.log.stored()).toEqual(alice.log.delivered())
    expect(alice.log.status().commits).toBe(1)

    const again = await reopened(alice, 0)
    expect(again.log.status().frozen).toEqual(frozen)
    expect(again.log.delivered()).toEqual(alice.log.delivered())
    expect(again.seen).toEqual(before)
    for (const run of [one, other, partOf(other, 3)]) {
      expect(await again.log.admit(run)).toMatchObject({ stored: 0, released: 0 })
    }
    expect(again.seen).toEqual(before)
  })

  test('is also the same commits in other batches: their successors would fit only one of them', async () => {
    await alice.log.admit(await version([[{}, {}]]))
    await alice.log.admit(await version([[{}], [{}]]))
    expect(alice.log.status().frozen).toMatchObject([{ seq: 1 }])
    expect(await folded(alice)).toEqual([])
  })

  test('of which sender and receiver hold different versions speaks against neither, and is found from the beginning', async () => {
    await alice.log.admit(partOf(one, 0, 2))
    for (const run of [partOf(other, 2), partOf(await version([[{}, {}], [{}]]), 1)]) {
      await expect(alice.log.admit(run)).rejects.toMatchObject({ code: 'broken-chain' })
      expect(alice.log.status().frozen).toEqual([])
    }
    await alice.log.admit(other)
    expect(alice.log.status().frozen).toMatchObject([{ seq: 2 }])
  })

  test('is not believed without the signature of the device', async () => {
    await alice.log.admit(one)
    const forged = { ...other, batches: [...other.batches.slice(0, 2), one.batches[2]!] }
    await expect(alice.log.admit(forged)).rejects.toMatchObject({ code: 'bad-signature' })
    expect(alice.log.status().frozen).toEqual([])
  })

  test('of the session that this device writes: it is left, and the device goes on in another one', async () => {
    await write(alice, 'shared')
    const own = alice.log.next().session
    // A copy of the running device: the same randomness, so the same session.
    const copy = await openPeer(four, 0)
    await write(copy, 'shared')
    await write(copy, 'copied')
    await write(alice, 'own')
    const pending = alice.log.commit(alice.log.next(), [section('pending')], {
      durability: 'memory',
    })
    await alice.log.admit(await runOf(copy))
    expect(alice.seen).toContain(pending.id)
    expect(forked).toHaveLength(1)
    expect(alice.log.next().session).not.toBe(own)
    await write(alice, 'later')
    await sync(alice, bob)
    expect(bob.log.delivered()).toEqual(alice.log.delivered())
    expect(await folded(bob)).toEqual(await folded(alice))
    expect(bob.seen).toContain(alice.seen.at(-1))
  })
})

describe('the proof of a fork', () => {
  beforeEach(async () => {
    await alice.log.admit(one)
    await alice.log.admit(other)
  })

  test('comes with what is before the fork, to a device that holds nothing, a part, or either version', async () => {
    const holds: readonly (Run | undefined)[] = [
      undefined,
      partOf(one, 0, 1),
      partOf(other, 0, 1, true),
      partOf(one, 0, 2, true),
      other,
    ]
    for (const held of holds) {
      bob = await openPeer(four, 1)
      if (held) await bob.log.admit(held)
      await sync(alice, bob)
      expect(bob.log.delivered()).toEqual(alice.log.delivered())
      expect(bob.log.status().frozen).toEqual(alice.log.status().frozen)
      expect(await folded(bob)).toEqual(await folded(alice))
      // And on, from there.
      carol = await openPeer(four, 2)
      await sync(await reopened(bob, 1), carol)
      expect(carol.log.delivered()).toEqual(alice.log.delivered())
    }
  })

  test('speaks for batches that were never signed by themselves', async () => {
    const versions = [
      partOf(await version([[{}], [{}], [{}], [{}]]), 0, 4, true),
      partOf(await version([[{}], [{}], [{ time }]]), 0, 3, true),
    ] as const
    const origin = await openPeer(four, 0, { seed: 3 })
    for (const run of versions) await origin.log.admit(run)
    const run = (await origin.log.range(session, 1, 1))!
    expect(run.batches).toHaveLength(2)
    expect(await bob.log.admit(run)).toMatchObject({
      stored: 2,
      released: 0,
      forkedBy: forkerDevice,
    })
    expect(bob.log.delivered()).toEqual(origin.log.delivered())
    await sync(bob, carol)
    expect(carol.log.delivered()).toEqual(origin.log.delivered())
  })

  test('of an earlier fork takes its place; that of a later one does not', async () => {
    await bob.log.admit(one)
    await bob.log.admit(await version([[{ time }]]))
    expect(bob.log.status().frozen).toMatchObject([{ seq: 1 }])
    await syncForked(alice, bob)
    expect(bob.log.status().frozen).toMatchObject([{ seq: 1 }])
    await syncForked(bob, alice)
    expect(alice.log.delivered()).toEqual(bob.log.delivered())
    expect(forked).toEqual([
      [session, 2],
      [session, 1],
    ])
    expect(await folded(alice)).toEqual([])
  })

  test('at the same place, with another beginning, leads to the fork before it', async () => {
    const begun = [{ time: { ms: 9, counter: 0 } }]
    await bob.log.admit(await version([begun, [{}]]))
    await bob.log.admit(await version([begun, [{ time }]]))
    expect(bob.log.status().frozen).toEqual(alice.log.status().frozen)
    expect(bob.log.delivered()).not.toEqual(alice.log.delivered())
    await syncForked(alice, bob)
    await syncForked(bob, alice)
    expect(alice.log.status().frozen).toMatchObject([{ seq: 1 }])
    expect(alice.log.delivered()).toEqual(bob.log.delivered())
  })

  test('is refused when it proves nothing', async () => {
    const run = (await alice.log.range(session, 1, 1 << 20))!
    const proof = decodeForkProof(run.fork!, session)
    const [a, b] = proof.branches
    const attempt = async (fork: Uint8Array, code: string, change: Partial<Run> = {}) => {
      await expect(bob.log.admit({ ...run, ...change, fork })).rejects.toMatchObject({ code })
      expect(bob.log.stored().size).toBe(0)
    }
    await attempt(encodeForkProof({ ...proof, branches: [a, a] }), 'bad-signature')
    const unsigned = { ...b, signature: a.signature }
    await attempt(encodeForkProof({ ...proof, branches: [a, unsigned] }), 'bad-signature')
    await attempt(encodeForkProof({ ...proof, seq: 3 }), 'malformed')
    await attempt(run.fork!, 'malformed', { batches: [] })
    await attempt(Uint8Array.of(0x80), 'malformed')
    await attempt(new Uint8Array(limits.forkBytes + 1), 'too-large')
    const links = Array.from({ length: limits.runBatches }, () => a.links[0]!)
    const long = encodeForkProof({ ...proof, branches: [{ ...a, links }, b] })
    await attempt(long, 'too-large')
  })

  test('is stored with its consequences or not at all', async () => {
    let broken = false
    bob = await openPeer(four, 1, {
      through: (store) => ({
        ...store,
        write: async (writes, durability) => {
          if (broken) throw new PeerplaneError('store-failed', 'no')
          await store.write(writes, durability)
        },
      }),
    })
    await bob.log.admit(other)
    const before = bob.log.delivered()
    broken = true
    await expect(sync(alice, bob)).rejects.toMatchObject({ code: 'store-failed' })
    expect(bob.log.delivered()).toEqual(before)
    expect(bob.log.status().frozen).toEqual([])
    broken = false
    await sync(alice, bob)
    expect(bob.log.delivered()).toEqual(alice.log.delivered())
  })
})

describe('commits that depend on a version of a forked session', () => {
  test('are delivered once the fork is known, whichever version was held', async () => {
    await alice.log.admit(one)
    await bob.log.admit(other)
    await write(alice, 'after one')
    await write(bob, 'after the other')
    const dependent = alice.log.next().session
    await bob.log.admit(await runOf(alice, dependent))
    expect(bob.log.status()).toMatchObject({ contradicted: [dependent], waiting: { commits: 1 } })
    await bob.log.admit(one)
    expect(bob.log.status()).toMatchObject({ contradicted: [], waiting: { commits: 0 } })
    await syncForked(bob, alice)
    await syncForked(alice, carol)
    expect(new Set(await folded(alice))).toEqual(new Set(await folded(bob)))
    expect(await folded(carol)).toHaveLength(3)
    // Nobody depends on what no longer counts.
    await write(carol, 'later')
    await syncForked(carol, await reopened(alice, 0))
    const { header } = carol.commits.get(carol.seen.at(-1)!)!
    expect(header.deps.map((dep) => dep.session)).not.toContain(session)
  })

  test('do not keep the device that wrote them from going on in a new session', async () => {
    await alice.log.admit(one)
    await bob.log.admit(other)
    await write(alice, 'first')
    await bob.log.admit(one)
    const again = await reopened(alice, 0)
    await write(again, 'second')
    await sync(again, bob)
    expect(bob.log.status().waiting.commits).toBe(0)
    expect(bob.seen).toContain(again.seen.at(-1))
  })
})

describe('honest devices and one that forks', () => {
  /** Where a version leaves the first one, how its batches are cut, and how often it writes. */
  const versions = fc.array(
    fc.record({
      leaves: fc.integer({ min: 1, max: 6 }),
      cut: fc.integer({ min: 1, max: 3 }),
      length: fc.integer({ min: 1, max: 8 }),
    }),
    { minLength: 2, maxLength: 4 },
  )
  const steps = fc.array(
    fc.record({
      kind: fc.constantFrom('fed', 'fed', 'write', 'sync', 'restart'),
      who: fc.nat({ max: 2 }),
      from: fc.nat({ max: 3 }),
      part: fc.nat({ max: 8 }),
      strip: fc.boolean(),
    }),
    { minLength: 5, maxLength: 25 },
  )

  test('converge: the same counts for all of them, and nobody waits', async () => {
    let forks = 0
    await fc.assert(
      fc.asyncProperty(versions, steps, async (shapes, history) => {
        const runs = await Promise.all(
          shapes.map(({ leaves, cut, length }, index) => {
            const headers = Array.from({ length }, (_, i) =>
              i + 1 < leaves ? {} : { time: { ms: 10 + index, counter: 0 } },
            )
            const batches: Headers[] = []
            for (let i = 0; i < length; i += cut) batches.push(headers.slice(i, i + cut))
            return version(batches)
          }),
        )
        const peers = [alice, bob, carol]
        for (let i = 0; i < 3; i++) peers[i] = await openPeer(four, i)
        for (const [step, { kind, who, from, part, strip }] of history.entries()) {
          const peer = peers[who]!
          if (kind === 'write') await write(peer, `w${step}`)
          else if (kind === 'sync') await syncForked(peers[from % 3]!, peer)
          else if (kind === 'restart') {
            const store = createMemoryStore(peer.store.entries())
            peers[who] = await openPeer(four, who, { store, seed: step + 1 })
          } else {
            const run = runs[from % runs.length]!
            const end = 1 + (part % run.made.length)
            await peer.log.admit(partOf(run, 0, end, strip)).catch(() => undefined)
          }
        }
        for (let round = 0; round < 6; round++) {
          for (const from of peers) for (const to of peers) await syncForked(from, to)
        }
        forks += peers[0]!.log.status().frozen.length
        const counts = new Set(await folded(peers[0]!))
        for (const peer of peers) {
          expect(peer.log.delivered()).toEqual(peers[0]!.log.delivered())
          expect(peer.log.status().waiting.commits).toBe(0)
          expect(new Set(await folded(peer))).toEqual(counts)
        }
      }),
      { numRuns: 60 },
    )
    expect(forks).toBeGreaterThan(10)
  }, 60_000)
})
