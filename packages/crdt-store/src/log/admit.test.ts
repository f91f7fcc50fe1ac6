import {
  createSpace,
  decodeBatch,
  encodeBatch,
  firstPrevious,
  limits,
  PeerplaneError,
  signBatch,
  toHex,
} from '@peerplane/core'
import type { DeviceId, ErrorCode, Opening, Run } from '@peerplane/core'
import { seededRandom } from '@peerplane/core/testing'
import { beforeEach, describe, expect, test } from 'vitest'

import {
  handmade as makeByHand,
  partOf,
  type Handmade,
  type Headers,
} from './handmade.fixture.test.ts'
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

const three = await members(3)
const [creator, second, third] = three.devices

/** A session of the second device. */
const handmade = (
  seed: number,
  batches: readonly Headers[],
  opening: Partial<Opening> = {},
): Promise<Handmade> => makeByHand(three, 1, seed, batches, opening)

let alice: Peer
let bob: Peer

beforeEach(async () => {
  alice = await openPeer(three, 0)
  bob = await openPeer(three, 1)
})

async function expectRefused(run: Run, code: ErrorCode): Promise<void> {
  const before = alice.store.entries()
  await expect(alice.log.admit(run)).rejects.toMatchObject({ code })
  expect(alice.store.entries()).toEqual(before)
  expect(alice.seen).toEqual([])
}

/** `bytes` with one bit changed. */
function damaged(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice()
  copy.set([copy.at(at)! ^ 1], at < 0 ? copy.length + at : at)
  return copy
}

describe('the log refuses', () => {
  test('no valid run', async () => {
    const run = await handmade(1, [[{}, {}], [{}]])
    expect(await alice.log.admit(run)).toMatchObject({ stored: 3, released: 0 })
    expect(alice.seen).toHaveLength(3)
  })

  test('a run without batches, place or opening, or with another opening', async () => {
    const run = await handmade(1, [[{}]])
    const other = await handmade(2, [[{}]])
    await expectRefused({ ...run, batches: [] }, 'malformed')
    await expectRefused({ ...run, from: 0 }, 'malformed')
    await expectRefused({ ...run, from: 0.5 }, 'malformed')
    await expectRefused({ ...run, opening: undefined }, 'malformed')
    await expectRefused({ ...run, opening: other.opening }, 'malformed')
  })

  test('bytes that are not canonical', async () => {
    const run = await handmade(1, [[{}]])
    await expectRefused({ ...run, batches: [new Uint8Array(0)] }, 'malformed')
    await expectRefused({ ...run, batches: [Uint8Array.of(...run.batches[0]!, 0)] }, 'malformed')
    await expectRefused({ ...run, batches: [damaged(run.batches[0]!, 0)] }, 'malformed')
  })

  test('more bytes than a run may have', async () => {
    const run = await handmade(1, [[{}]])
    const batch = new Uint8Array(limits.runBytes / 2 + 1)
    await expectRefused({ ...run, batches: [batch, batch] }, 'too-large')
    await expectRefused({ ...run, batches: [new Uint8Array(2 * limits.batchBytes)] }, 'too-large')
  })

  test('commits for another space', async () => {
    const space = createSpace(toHex(second!.key.publicKey) as DeviceId, 'member', seededRandom(7))
      .record.id
    await expectRefused(await handmade(1, [[{}]], { space }), 'wrong-space')
  })

  test('commits of a device without an admission, or with the admission of another device', async () => {
    const run = await handmade(1, [[{}]])
    const evidence = run.opening!
    await expectRefused({ ...run, opening: { ...evidence, chain: [] } }, 'not-a-member')
    const others = third!.chain.map(({ bytes }) => bytes)
    await expectRefused({ ...run, opening: { ...evidence, chain: others } }, 'not-a-member')
    const { id } = third!.chain.at(-1)!
    const stolen = await handmade(1, [[{}]], { admission: id })
    await expectRefused(
      { ...stolen, opening: { ...stolen.opening!, chain: others } },
      'not-a-member',
    )
    await expectRefused(stolen, 'not-a-member')
    const long = Array.from({ length: limits.admissionChain + 1 }, () => others[0]!)
    await expectRefused({ ...run, opening: { ...evidence, chain: long } }, 'too-large')
  })

  test('the admission of another device, even if this device is known here', async () => {
    const carol = await openPeer(three, 2)
    await write(carol, 'c')
    await sync(carol, alice)
    const stolen = await handmade(1, [[{}]], { admission: third!.chain.at(-1)!.id })
    const chain = third!.chain.map(({ bytes }) => bytes)
    const run = { ...stolen, opening: { ...stolen.opening!, chain } }
    await expect(alice.log.admit(run)).rejects.toMatchObject({ code: 'not-a-member' })
  })

  test('a forged chain of admissions', async () => {
    const run = await handmade(1, [[{}]])
    const chain = run.opening!.chain.map((bytes) => damaged(bytes, -1))
    await expectRefused({ ...run, opening: { ...run.opening!, chain } }, 'not-a-member')
  })

  test('an opening in the name of another device: its first batch is not signed by that device', async () => {
    const { id, device } = third!.chain.at(-1)!
    const run = await handmade(1, [[{}]], { device, admission: id })
    const chain = third!.chain.map(({ bytes }) => bytes)
    await expectRefused({ ...run, opening: { ...run.opening!, chain } }, 'bad-signature')
  })

  test('a forged signature of the last batch', async () => {
    const run = await handmade(1, [[{}], [{}]])
    const session = run.session
    const last = decodeBatch(run.batches[0]!, session, firstPrevious(run.opening!.bytes), 1)
    const forged = { ...last, signature: damaged(last.signature!, 3) }
    await expectRefused({ ...run, batches: [encodeBatch(forged)] }, 'bad-signature')
    const unsigned = { ...last, signature: undefined }
    await expectRefused({ ...run, batches: [encodeBatch(unsigned)] }, 'bad-signature')
    const other = await signBatch(unsigned, third!.key)
    await expectRefused({ ...run, batches: [encodeBatch(other)] }, 'bad-signature')
  })

  test('a run with a gap, with batches out of order, or with a batch left out', async () => {
    const run = await handmade(1, [[{}], [{}], [{}]])
    const [a, b, c] = run.batches as [Uint8Array, Uint8Array, Uint8Array]
    await expectRefused({ ...run, from: 2, batches: [b, c] }, 'broken-chain')
    await expectRefused({ ...run, batches: [b, a] }, 'bad-signature')
    await expectRefused({ ...run, batches: [a, c] }, 'bad-signature')
    const misnumbered = await handmade(2, [[{}, { seq: 3 }]])
    await expectRefused(misnumbered, 'bad-signature')
  })

  test('an inner batch that is not the one the last signature speaks for', async () => {
    const run = await handmade(1, [[{}], [{}]])
    const other = await handmade(1, [[{ time: { ms: 2, counter: 0 } }], [{}]])
    await expectRefused({ ...run, batches: [other.batches[0]!, run.batches[1]!] }, 'bad-signature')
  })

  test('a commit that depends on its own session', async () => {
    const { session } = await handmade(1, [[{}]])
    const deps = [{ session, seq: 5 }]
    const run = await handmade(1, [[{ deps, digest: new Uint8Array(16) }]])
    expect(run.session).toBe(session)
    await expectRefused(run, 'malformed')
  })

  test('batches that stand for more bytes than a run may have, however few they are', async () => {
    const thousand = Array.from({ length: limits.batchCommits }, () => ({}))
    const run = await handmade(1, [thousand, ...Array.from({ length: 7 }, () => thousand)])
    const sent = run.batches.reduce((sum, batch) => sum + batch.length, 0)
    expect(sent).toBeLessThan(limits.runBytes / 8)
    await expectRefused(run, 'too-large')
    // In two runs they are taken, and leave in runs that others take.
    for (const from of [0, 4]) await bob.log.admit(partOf(run, from, from + 4))
    await sync(bob, alice)
    expect(alice.seen).toHaveLength(8 * limits.batchCommits)
  })

  test('too many runs at once', async () => {
    const run = await handmade(1, [[{}]])
    const outcomes = await Promise.allSettled(
      Array.from({ length: limits.queuedRuns + 1 }, () => alice.log.admit(run)),
    )
    const refused = outcomes.filter(({ status }) => status === 'rejected')
    expect(refused).toMatchObject([{ reason: { code: 'overloaded' } }])
    expect(alice.seen).toHaveLength(1)
  })

  test('a run while the store fails; nothing is kept, and the same run is accepted later', async () => {
    let broken = false
    alice = await openPeer(three, 0, {
      through: (store) => ({
        ...store,
        write: async (writes, durability) => {
          if (broken) throw new PeerplaneError('store-failed', 'no')
          await store.write(writes, durability)
        },
      }),
    })
    const run = await handmade(1, [[{}]])
    broken = true
    await expectRefused(run, 'store-failed')
    broken = false
    expect(await alice.log.admit(run)).toMatchObject({ stored: 1, released: 0 })
  })

  test('any run after the log was closed', async () => {
    await alice.log.close()
    await expectRefused(await handmade(1, [[{}]]), 'closed')
  })
})

describe('a run that overlaps what is held', () => {
  test('is taken in as far as it is new', async () => {
    for (const content of ['a', 'b']) await write(bob, content)
    await alice.log.admit(await runOf(bob))
    expect(await alice.log.admit(await runOf(bob))).toMatchObject({ stored: 0, released: 0 })
    for (const content of ['c', 'd']) await write(bob, content)
    const { session } = bob.log.next()
    expect(await alice.log.admit(await runOf(bob, session, 2))).toMatchObject({
      stored: 2,
      released: 0,
    })
    expect(contents(alice)).toEqual(['a', 'b', 'c', 'd'])
    // Held without inner signatures here, with all of them there: still the same batches.
    expect(await bob.log.admit(await runOf(alice))).toMatchObject({ stored: 0, released: 0 })
  })

  test('is refused when it begins inside a batch', async () => {
    await writeMany(bob, ['a', 'b'])
    const run = await runOf(bob)
    await alice.log.admit(run)
    await expect(alice.log.admit({ ...run, from: 2 })).rejects.toMatchObject({
      code: 'broken-chain',
    })
  })
})

describe('the device of the creator', () => {
  test('needs no admission', async () => {
    expect(creator!.chain).toEqual([])
    await write(alice, 'a')
    await bob.log.admit(await runOf(alice))
    expect(contents(bob)).toEqual(['a'])
  })
})
