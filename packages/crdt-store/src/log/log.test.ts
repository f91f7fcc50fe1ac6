import {
  decodeOpening,
  encodeBatch,
  limits,
  lastSeq,
  PeerplaneError,
  utf8,
  toHex,
} from '@peerplane/core'
import type { Batch, Section } from '@peerplane/core'
import { describe, expect, test } from 'vitest'

import { createMemoryStore } from '../storage/memory-store.ts'
import {
  contents,
  members,
  openPeer,
  section,
  sync,
  write,
  writeMany,
} from './peer.fixture.test.ts'

const two = await members(2)

describe('own commits', () => {
  test('a session opens with its first commit, in the store not before it is durable', async () => {
    const peer = await openPeer(two, 0)
    const { session, seq } = peer.log.next()
    expect(seq).toBe(1)
    expect(peer.log.next()).toMatchObject({ session, seq: 1 })
    expect(peer.log.stored().size).toBe(0)
    await write(peer, 'a')
    expect(peer.log.stored().get(session)?.seq).toBe(1)
    expect(peer.log.delivered()).toEqual(peer.log.stored())
  })

  test('commits of one turn become one signed batch; what comes during a flush, the next one', async () => {
    const peer = await openPeer(two, 0)
    const batches: Batch[] = []
    peer.log.watch((own) => own && batches.push(own))
    await writeMany(peer, ['a', 'b', 'c'])
    await writeMany(peer, ['d', 'e'])
    expect(batches.map((batch) => batch.commits.length)).toEqual([3, 2])
    expect(batches.map((batch) => batch.signature?.length)).toEqual([64, 64])
    expect(contents(peer)).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  test('batches keep to their limits of commits and bytes', async () => {
    const peer = await openPeer(two, 0)
    const batches: Batch[] = []
    peer.log.watch((own) => own && batches.push(own))
    await writeMany(
      peer,
      Array.from({ length: limits.batchCommits + 1 }, () => 'x'),
    )
    expect(batches.map((batch) => batch.commits.length)).toEqual([limits.batchCommits, 1])
    const large: Section = { ...section(''), body: new Uint8Array(limits.batchBytes / 2) }
    const made = [1, 2, 3].map(() =>
      peer.log.commit(peer.log.next(), [large], { durability: 'local' }),
    )
    await Promise.all(made.map(({ durable }) => durable))
    expect(batches.slice(2).map((batch) => batch.commits.length)).toEqual([1, 1, 1])
  })

  test('a commit that exceeds a limit is refused and changes nothing', async () => {
    const peer = await openPeer(two, 0)
    const attempt = (sections: readonly Section[]) => () =>
      peer.log.commit(peer.log.next(), sections, { durability: 'synced' })
    const huge = { ...section(''), body: new Uint8Array(limits.commitBytes) }
    expect(attempt([huge])).toThrow(expect.objectContaining({ code: 'too-large' }))
    const many = Array.from({ length: limits.sections + 1 }, () => section(''))
    expect(attempt(many)).toThrow(expect.objectContaining({ code: 'too-large' }))
    const nameless = { ...section(''), entity: 'note' as Section['entity'] }
    expect(attempt([nameless])).toThrow(expect.objectContaining({ code: 'malformed' }))
    expect(peer.log.status().pending).toBe(0)
    await write(peer, 'a')
    expect([...peer.log.stored().values()].map(({ seq }) => seq)).toEqual([1])
  })

  test('commits are refused when too many are not durable yet', async () => {
    const peer = await openPeer(two, 0)
    const commit = () => peer.log.commit(peer.log.next(), [], { durability: 'memory' })
    for (let i = 0; i < limits.pendingCommands; i++) commit()
    expect(commit).toThrow(expect.objectContaining({ code: 'overloaded' }))
    await peer.log.idle()
    expect(peer.log.status().pending).toBe(0)
    commit()
  })

  test('the strongest durability of a turn holds for all of it, and what goes with a commit is written with it', async () => {
    const durabilities: string[] = []
    const peer = await openPeer(two, 0, {
      through: (store) => ({
        ...store,
        write: async (writes, durability) => {
          durabilities.push(durability)
          await store.write(writes, durability)
        },
      }),
    })
    durabilities.length = 0
    const key = Uint8Array.of(0x32, 1)
    const alsoWrite = (id: string) => [{ key, value: utf8(id) }]
    const first = peer.log.commit(peer.log.next(), [], { durability: 'memory', alsoWrite })
    const second = peer.log.commit(peer.log.next(), [], { durability: 'synced' })
    await first.durable
    expect(await peer.store.get(key)).toBeUndefined()
    await second.durable
    expect(await peer.store.get(key)).toEqual(utf8(first.id))
    const third = peer.log.commit(peer.log.next(), [], { durability: 'memory' })
    await third.durable
    await peer.log.idle()
    expect(durabilities).toEqual(['synced', 'local'])
  })

  test('settled waits for what was appended before the call, however steadily more is written', async () => {
    const peer = await openPeer(two, 0)
    await peer.log.settled()
    let stop = false
    const commit = () => peer.log.commit(peer.log.next(), [], { durability: 'memory' })
    // Each flush finds a commit in the queue that came during the flush before.
    peer.log.watch(() => !stop && commit())
    commit()
    const before = commit()
    await peer.log.settled()
    expect(peer.log.stored().get(peer.log.next().session)!.seq).toBeGreaterThanOrEqual(2)
    expect(peer.seen).toContain(before.id)
    expect(peer.log.status().pending).toBeGreaterThan(0)
    stop = true
    await peer.log.idle()
  })

  test('settled rejects when what it waits for is given up, also what queued behind a failed flush', async () => {
    let broken = false
    const peer = await openPeer(two, 0, {
      through: (store) => ({
        ...store,
        write: async (writes, durability) => {
          if (broken) throw new PeerplaneError('store-full', 'no')
          await store.write(writes, durability)
        },
      }),
    })
    broken = true
    const commit = () => peer.log.commit(peer.log.next(), [], { durability: 'memory' })
    commit()
    const first = peer.log.settled()
    await Promise.resolve()
    commit()
    const second = peer.log.settled()
    await expect(first).rejects.toMatchObject({ code: 'store-full' })
    await expect(second).rejects.toMatchObject({ code: 'store-full' })
    await peer.log.settled()
  })

  test('a commit depends on the maximal commits of others, once', async () => {
    const [alice, bob] = [await openPeer(two, 0), await openPeer(two, 1)]
    await write(alice, 'a1')
    await write(alice, 'a2')
    await sync(alice, bob)
    await write(bob, 'b1')
    await write(bob, 'b2')
    const session = [...alice.log.stored().keys()][0]!
    const deps = [...bob.commits.values()].slice(-2).map((commit) => commit.header.deps)
    expect(deps).toEqual([[{ session, seq: 2 }], []])
    await sync(bob, alice)
    await write(alice, 'a3')
    const last = alice.commits.get(alice.seen.at(-1)!)!
    expect(last.header.deps).toEqual([{ session: bob.log.next().session, seq: 2 }])
  })

  test('only the first commit of a batch depends on others: what was delivered meanwhile begins another one', async () => {
    const gate = Promise.withResolvers<void>()
    let blocked = false
    const alice = await openPeer(two, 0)
    const bob = await openPeer(two, 1, {
      through: (store) => ({
        ...store,
        write: async (writes, durability) => {
          const waits = blocked
          blocked = false
          if (waits) await gate.promise
          await store.write(writes, durability)
        },
      }),
    })
    await write(alice, 'a')
    const batches: Batch[] = []
    bob.log.watch((own) => own && batches.push(own))
    const commit = () => bob.log.commit(bob.log.next(), [], { durability: 'memory' })
    blocked = true
    commit()
    await new Promise((resolve) => setTimeout(resolve))
    // One turn: a commit before the delivery and two after it.
    commit()
    await sync(alice, bob)
    commit()
    commit()
    gate.resolve()
    await bob.log.idle()
    const deps = batches.map(({ commits }) => commits.map(({ header }) => header.deps.length))
    expect(deps).toEqual([[0], [0], [1, 0]])
    await sync(bob, alice)
    expect(alice.seen).toHaveLength(5)
  })

  test('a commit whose companions cannot be made is not made either', async () => {
    const [alice, bob] = [await openPeer(two, 0), await openPeer(two, 1)]
    await write(alice, 'a')
    await sync(alice, bob)
    const origin = bob.log.next()
    const alsoWrite = () => {
      throw new PeerplaneError('too-large', 'no')
    }
    expect(() => bob.log.commit(origin, [], { durability: 'local', alsoWrite })).toThrow(
      expect.objectContaining({ code: 'too-large' }),
    )
    expect(bob.log.status().pending).toBe(0)
    await write(bob, 'b')
    const { header } = bob.commits.get(bob.seen.at(-1)!)!
    expect(header).toMatchObject({ seq: 1, deps: [{ session: alice.log.next().session, seq: 1 }] })
  })

  test('what another commit depends on is no longer a head, also after a restart', async () => {
    const three = await members(3)
    const [alice, bob] = [await openPeer(three, 0), await openPeer(three, 1)]
    let carol = await openPeer(three, 2)
    await write(alice, 'a1')
    await write(alice, 'a2')
    await sync(alice, bob)
    await write(bob, 'b')
    await sync(bob, carol)
    const { session } = bob.log.next()
    await write(carol, 'c1')
    const depsOfLast = () => carol.commits.get(carol.seen.at(-1)!)!.header.deps
    expect(depsOfLast()).toEqual([{ session, seq: 1 }])
    const own = carol.log.next().session
    await carol.log.close()
    carol = await openPeer(three, 2, { store: createMemoryStore(carol.store.entries()), seed: 1 })
    await write(carol, 'c2')
    expect(depsOfLast()).toEqual([{ session: own, seq: 1 }])
  })

  test('is later, by its clock, than everything delivered, also after a restart', async () => {
    const [alice, bob] = [
      await openPeer(two, 0),
      await openPeer(two, 1, { clockMs: 1_700_000_100_000 }),
    ]
    await write(bob, 'b')
    const before = alice.log.next().time.ms
    await sync(bob, alice)
    expect(alice.log.next().time).toEqual({ ms: before + 100_000, counter: 1 })
    const bobWrote = new Map([[toHex(two.devices[1]!.key.publicKey), before + 100_000]])
    expect(alice.log.status().wroteLast).toEqual(bobWrote)
    await alice.log.close()
    const store = createMemoryStore(alice.store.entries())
    const again = await openPeer(two, 0, { store, seed: 1 })
    expect(again.log.next().time.ms).toBe(before + 100_000)
    expect(again.log.status().wroteLast).toEqual(bobWrote)
  })

  test('more heads than a commit may name are folded by empty commits before it', async () => {
    const crowd = await members(2)
    const reader = await openPeer(crowd, 1)
    const count = 2 * limits.deps + 1
    for (let i = 0; i < count; i++) {
      const writer = await openPeer(crowd, 0, { seed: i })
      await write(writer, `w${i}`)
      await sync(writer, reader)
    }
    const origin = reader.log.next()
    expect(origin.seq).toBe(3)
    const { id, durable } = reader.log.commit(origin, [section('all')], { durability: 'synced' })
    await durable
    const own = reader.seen.slice(count).map((each) => reader.commits.get(each)!)
    expect(own.map(({ header }) => header.deps.length)).toEqual([64, 64, 1])
    expect(own.map(({ sections }) => sections.length)).toEqual([0, 0, 1])
    expect(own[2]!.id).toBe(id)
    expect(reader.log.next().seq).toBe(4)
    const copy = await openPeer(crowd, 0, { seed: 999 })
    await sync(reader, copy)
    expect(copy.seen).toHaveLength(count + 3)
  })
})

describe('sessions', () => {
  test('every opening of a store begins a session on top of all tips of the device', async () => {
    const first = await openPeer(two, 0)
    await write(first, 'a')
    await first.log.close()
    const store = createMemoryStore(first.store.entries())
    const second = await openPeer(two, 0, { store, seed: 1 })
    await write(second, 'b')
    const [one, other] = [...second.log.stored().keys()]
    expect(one).not.toBe(other)
    const session = second.log.next().session
    const tip = [...first.log.stored().values()][0]!
    const { opening } = (await second.log.range(session, 1, 1))!
    expect(decodeOpening(opening!.bytes).opening.parents).toEqual([tip])
    const deps = second.commits.get(second.seen.at(-1)!)!.header.deps
    expect(deps).toEqual([{ session: tip.session, seq: 1 }])
  })

  test('a place that was overtaken cannot be used', async () => {
    const peer = await openPeer(two, 0)
    const early = peer.log.next()
    await write(peer, 'a')
    expect(() => peer.log.commit(early, [], { durability: 'local' })).toThrow(
      expect.objectContaining({ code: 'store-failed' }),
    )
  })

  test('a closed log has stored everything and refuses all further work', async () => {
    const peer = await openPeer(two, 0)
    const { durable } = peer.log.commit(peer.log.next(), [section('a')], { durability: 'memory' })
    await durable
    const run = await peer.log.range(peer.log.next().session, 1, 1000)
    expect(run).toBeUndefined()
    await peer.log.close()
    expect(() => peer.log.next()).toThrow(expect.objectContaining({ code: 'closed' }))
    const again = await openPeer(two, 0, { store: createMemoryStore(peer.store.entries()) })
    expect(contents(again)).toEqual(['a'])
  })
})

describe('ranges', () => {
  test('begin with the batch that holds the commit asked for, and keep about to the size asked for', async () => {
    const peer = await openPeer(two, 0)
    for (const batch of [['a', 'b', 'c'], ['d'], ['e', 'f']]) await writeMany(peer, batch)
    const session = peer.log.next().session
    const whole = await peer.log.range(session, 2, 1 << 20)
    expect(whole).toMatchObject({ session, from: 1 })
    expect(whole!.batches).toHaveLength(3)
    expect(whole!.opening).toBeDefined()
    const part = await peer.log.range(session, 4, 1)
    expect(part).toMatchObject({ from: 4, opening: undefined })
    expect(part!.batches).toHaveLength(1)
    expect(await peer.log.range(session, 7, 1000)).toBeUndefined()
  })

  test('are cut after a signed batch, whether its signature was looked at before or not', async () => {
    const [alice, bob, carol] = [
      await openPeer(two, 0),
      await openPeer(two, 1),
      await openPeer(two, 1, { seed: 1 }),
    ]
    for (const content of ['a', 'b', 'c', 'd']) await write(alice, content)
    const session = alice.log.next().session
    const all = (await alice.log.range(session, 1, 1 << 20))!
    await bob.log.admit(all)
    const size = all.batches[0]!.length
    // Of the four batches that came under one signature, each can be the last one.
    for (const count of [1, 2, 3, 4]) {
      const run = (await bob.log.range(session, 1, count * size))!
      expect(run.batches).toHaveLength(count)
      expect(await carol.log.admit(run)).toMatchObject({ stored: 1, released: 0 })
    }
  })

  test('leave together what was signed together, where signatures inside are missing or bad', async () => {
    const [alice, bob, carol] = [
      await openPeer(two, 0),
      await openPeer(two, 1),
      await openPeer(two, 1, { seed: 1 }),
    ]
    const batches: Batch[] = []
    alice.log.watch((own) => own && batches.push(own))
    for (const content of ['a', 'b', 'c', 'd']) await write(alice, content)
    const session = alice.log.next().session
    const [a, b, c, d] = batches as [Batch, Batch, Batch, Batch]
    const without = encodeBatch({ ...a, signature: undefined })
    const bad = encodeBatch({ ...b, signature: c.signature })
    const whole = (await alice.log.range(session, 1, 1 << 20))!
    await bob.log.admit({ ...whole, batches: [without, bad, encodeBatch(c)] })
    await bob.log.admit((await alice.log.range(session, 4, 1))!)
    const run = (await bob.log.range(session, 1, 1))!
    expect(run.batches).toHaveLength(3)
    expect(await carol.log.admit(run)).toMatchObject({ stored: 3, released: 0 })
    expect((await bob.log.range(session, 4, 1))!.batches).toEqual([encodeBatch(d)])
  })

  test('have nothing that waits', async () => {
    const three = await members(3)
    const [alice, bob, carol] = [
      await openPeer(three, 0),
      await openPeer(three, 1),
      await openPeer(three, 2),
    ]
    await write(bob, 'b1')
    await write(alice, 'a')
    await sync(alice, bob)
    await write(bob, 'b2')
    const { session } = bob.log.next()
    await carol.log.admit((await bob.log.range(session, 1, 1 << 20))!)
    expect(carol.log.stored().get(session)?.seq).toBe(2)
    expect(carol.log.delivered().get(session)?.seq).toBe(1)
    expect((await carol.log.range(session, 1, 1 << 20))!.batches).toHaveLength(1)
    expect(await carol.log.range(session, 2, 1 << 20)).toBeUndefined()
  })
})

describe('replay', () => {
  test('gives what is delivered beyond a frontier, also from the middle of a batch', async () => {
    const peer = await openPeer(two, 0)
    await writeMany(peer, ['a', 'b', 'c'])
    await writeMany(peer, ['d'])
    const { session } = peer.log.next()
    const seqs: number[] = []
    const from = new Map([[session, { session, seq: 2, mark: '' }]])
    for await (const chunk of peer.log.replay(from)) {
      for (const { header } of chunk) seqs.push(header.seq)
    }
    expect(seqs).toEqual([3, 4])
    const nothing = []
    for await (const chunk of peer.log.replay(peer.log.delivered())) nothing.push(chunk)
    expect(nothing).toEqual([])
  })

  test('reads a long log in chunks, in causal order', async () => {
    const [alice, bob] = [await openPeer(two, 0), await openPeer(two, 1)]
    const batches: Batch[] = []
    alice.log.watch((own) => own && batches.push(own))
    for (let round = 0; round < 30; round++) {
      await writeMany(
        alice,
        Array.from({ length: 60 }, (_, i) => `a${round}.${i}`),
      )
      await sync(alice, bob)
      await writeMany(
        bob,
        Array.from({ length: 60 }, (_, i) => `b${round}.${i}`),
      )
      await sync(bob, alice)
    }
    expect(lastSeq(batches.at(-1)!)).toBe(1800)
    const sizes: number[] = []
    const order: string[] = []
    for await (const chunk of alice.log.replay(new Map())) {
      sizes.push(chunk.length)
      for (const { id } of chunk) order.push(id)
    }
    expect(sizes.length).toBeGreaterThan(2)
    expect(order).toEqual(alice.seen)
  })
})
