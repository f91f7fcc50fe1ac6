import type { CommitId, Opening, Run } from '@peerplane/core'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'

import { createMemoryStore } from '../storage/memory-store.ts'
import { handmade, partOf, type Handmade, type Headers } from './handmade.fixture.test.ts'
import { deviceOf, members, openPeer, syncForked, write, type Peer } from './peer.fixture.test.ts'

type Hash = (tag: string, ...parts: readonly Uint8Array[]) => Uint8Array

const SESSION_BYTES = 16
const NONCE = 16
const MARKED = [0xee, 0xdd, 0xcc]

// Two openings with the same session id take 2^64 hashes: here those with marked nonces have the same id, and the rest of each hash is real.
vi.mock('../../../core/src/hash.ts', async (original) => {
  const real = await original<{ readonly hash: Hash }>()
  return {
    ...real,
    hash: (...[tag, ...parts]: Parameters<Hash>): Uint8Array => {
      const hashed = real.hash(tag, ...parts)
      const nonce = tag === 'opening' ? parts[0]!.slice(-NONCE) : []
      if (MARKED.every((byte, i) => nonce[i] === byte)) hashed.fill(0xee, 0, SESSION_BYTES)
      return hashed
    },
  }
})

const four = await members(4)

const marked = (name: number): Uint8Array => {
  const nonce = new Uint8Array(NONCE).fill(name)
  nonce.set(MARKED)
  return nonce
}

/** A version of the session whose opening is number `name`, by device `index`. */
const version = (
  name: number,
  batches: readonly Headers[],
  index = 3,
  opening: Partial<Opening> = {},
): Promise<Handmade> => handmade(four, index, 1, batches, { nonce: marked(name), ...opening })

const before = await handmade(four, 3, 9, [[{}]])
const parents = [{ session: before.session, seq: 1, mark: before.made[0]!.id.slice(0, 32) }]
const time = { ms: 7, counter: 0 }
const one = await version(1, [[{}], [{}], [{}]])
const versions: readonly Handmade[] = [
  one,
  // Another fork of the first opening, openings with other nonces and parents, and one of another device.
  await version(1, [[{}], [{ time }]]),
  await version(2, [[{}, {}], [{}]]),
  await version(3, [[{}]], 3, { parents }),
  await version(4, [[{}], [{}]], 2, {
    device: deviceOf(four.devices[2]!.key),
    admission: four.devices[2]!.chain.at(-1)!.id,
  }),
]
const { session } = one

async function folded({ log }: Peer): Promise<Set<CommitId>> {
  const ids = new Set<CommitId>()
  for await (const chunk of log.replay(new Map())) for (const { id } of chunk) ids.add(id)
  return ids
}

test('a session with two openings has no effect, whichever of them was held', async () => {
  expect(new Set(versions.map((each) => each.session))).toEqual(new Set([session]))
  for (const [held, other] of [
    [versions[0]!, versions[2]!],
    [versions[2]!, versions[0]!],
    [versions[0]!, versions[4]!],
  ] as const) {
    const [alice, bob] = [await openPeer(four, 0), await openPeer(four, 1)]
    await alice.log.admit(held)
    expect(await alice.log.admit(other)).toMatchObject({ stored: 0, forkedBy: expect.anything() })
    expect(alice.log.status().frozen).toMatchObject([{ session, seq: 1 }])
    expect(await folded(alice)).toEqual(new Set())
    const again = await openPeer(four, 0, { store: createMemoryStore(alice.store.entries()) })
    expect(again.log.delivered()).toEqual(alice.log.delivered())
    // A device that holds nothing, and one that holds the other opening, get the proof.
    for (const holds of [undefined, other] as const) {
      const carol = await openPeer(four, 2)
      if (holds) await carol.log.admit(holds)
      await syncForked(again, carol)
      expect(carol.log.delivered()).toEqual(alice.log.delivered())
    }
    await syncForked(again, bob)
    for (const run of versions) expect(await bob.log.admit(run)).toMatchObject({ stored: 0 })
    expect(bob.log.delivered()).toEqual(alice.log.delivered())
  }
})

test('an accusation of two openings without the signatures of both is refused', async () => {
  const alice = await openPeer(four, 0)
  await alice.log.admit(one)
  const forged = { ...versions[2]!, batches: one.batches }
  await expect(alice.log.admit(forged)).rejects.toMatchObject({ code: 'bad-signature' })
  expect(alice.log.status().frozen).toEqual([])
})

const step = fc.record({
  kind: fc.constantFrom('fed', 'fed', 'write', 'sync', 'restart'),
  who: fc.nat({ max: 2 }),
  from: fc.nat({ max: versions.length - 1 }),
  part: fc.nat({ max: 3 }),
})

test('replicas to which versions with several openings come in any order become equal', async () => {
  let forks = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 16 }), async (history) => {
      const peers = await Promise.all([0, 1, 2].map((index) => openPeer(four, index)))
      for (const [at, { kind, who, from, part }] of history.entries()) {
        const peer = peers[who]!
        if (kind === 'write') await write(peer, `w${at}`)
        else if (kind === 'sync') await syncForked(peers[from % 3]!, peer)
        else if (kind === 'restart') {
          const store = createMemoryStore(peer.store.entries())
          peers[who] = await openPeer(four, who, { store, seed: at + 1 })
        } else {
          const run = versions[from]!
          const piece: Run = partOf(run, 0, 1 + (part % run.made.length))
          await peer.log.admit(piece)
        }
      }
      for (let round = 0; round < 6; round++) {
        await peers[round % 3]!.log.admit(before)
        for (const from of peers) for (const to of peers) await syncForked(from, to)
      }
      forks += peers[0]!.log.status().frozen.length
      for (const peer of peers) {
        expect(peer.log.delivered()).toEqual(peers[0]!.log.delivered())
        expect(peer.log.status()).toMatchObject({ waiting: { commits: 0 }, contradicted: [] })
        expect(await folded(peer)).toEqual(await folded(peers[0]!))
      }
    }),
    { numRuns: 60 },
  )
  expect(forks).toBeGreaterThan(10)
}, 60_000)
