import {
  limits,
  PeerplaneError,
  type Admitted,
  type Commit,
  type CommitId,
  type SessionId,
} from '@peerplane/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { createMemoryStore } from '../storage/memory-store.ts'
import type { Log } from './log.ts'
import {
  contents,
  lacking,
  members,
  openPeer,
  runOf,
  section,
  sync,
  write,
  writeMany,
  type Peer,
  type PeerOptions,
} from './peer.fixture.test.ts'

const three = await members(3)

describe('commits that come before what they depend on', () => {
  test('wait, also across a restart, and are released by it', async () => {
    const [alice, bob] = [await openPeer(three, 0), await openPeer(three, 1)]
    let carol = await openPeer(three, 2)
    await write(alice, 'a')
    await sync(alice, bob)
    await write(bob, 'b1')
    await write(bob, 'b2')
    const { session } = bob.log.next()
    expect(await carol.log.admit(await runOf(bob, session))).toMatchObject({
      stored: 2,
      released: 0,
    })
    expect(contents(carol)).toEqual([])
    expect(carol.log.status().waiting.commits).toBe(2)
    expect(carol.log.delivered().size).toBe(0)
    expect(carol.log.stored().get(session)?.seq).toBe(2)

    carol = await openPeer(three, 2, { store: createMemoryStore(carol.store.entries()), seed: 1 })
    expect(contents(carol)).toEqual([])
    expect(carol.log.status().waiting.commits).toBe(2)
    expect(carol.log.status().waiting.bytes).toBeGreaterThan(50)
    expect(await carol.log.admit(await runOf(alice))).toMatchObject({ stored: 1, released: 2 })
    expect(contents(carol)).toEqual(['a', 'b1', 'b2'])
    expect(carol.log.status().waiting).toEqual({ commits: 0, bytes: 0 })
    expect(carol.log.delivered()).toEqual(carol.log.stored())
  })

  test('are what the next own commit does not depend on', async () => {
    const [alice, bob, carol] = [
      await openPeer(three, 0),
      await openPeer(three, 1),
      await openPeer(three, 2),
    ]
    await write(alice, 'a')
    await sync(alice, bob)
    await write(bob, 'b')
    await carol.log.admit(await runOf(bob, bob.log.next().session))
    await write(carol, 'c')
    expect(carol.commits.get(carol.seen[0]!)!.header.deps).toEqual([])
  })

  test('a commit that would have to wait is refused when too many wait already', async () => {
    const [alice, bob, carol] = [
      await openPeer(three, 0),
      await openPeer(three, 1),
      await openPeer(three, 2),
    ]
    await write(alice, 'a')
    await sync(alice, bob)
    const rounds = Math.ceil(limits.waitingCommits / 1000)
    for (let i = 0; i < rounds; i++) {
      await writeMany(
        bob,
        Array.from({ length: 1000 }, () => 'x'),
      )
    }
    await write(bob, 'one too many')
    const { session } = bob.log.next()
    const admitAll = async (): Promise<Admitted | undefined> => {
      for (;;) {
        const run = await bob.log.range(session, (carol.log.stored().get(session)?.seq ?? 0) + 1, 1)
        if (!run) return undefined
        const admitted = await carol.log.admit(run)
        if (admitted.full) return admitted
      }
    }
    const cause = { session: alice.log.next().session, seq: 1 }
    expect(await admitAll()).toEqual({ stored: 0, released: 0, awaits: [cause], full: true })
    expect(carol.log.status().waiting.commits).toBe(limits.waitingCommits)
    expect(await carol.log.admit(await runOf(alice))).toMatchObject({
      stored: 1,
      released: limits.waitingCommits,
    })
    await admitAll()
    expect(carol.seen).toHaveLength(limits.waitingCommits + 2)
  })
})

describe('a store that fails while this device writes commits', () => {
  test('a failed write ends the session and loses only what was not durable; a new session continues after the durable commits', async () => {
    let broken = false
    const alice = await openPeer(three, 0, {
      through: (store) => ({
        ...store,
        write: async (writes, durability) => {
          if (broken) throw new PeerplaneError('store-full', 'no space')
          await store.write(writes, durability)
        },
      }),
    })
    const failures: { code: string; rejected: readonly CommitId[] }[] = []
    alice.log.onFailure(({ code }, rejected) => failures.push({ code, rejected }))
    const bob = await openPeer(three, 1)
    await write(alice, 'a1')
    await write(bob, 'b')
    await sync(bob, alice)
    broken = true
    const before = alice.log.next()
    const lost = ['a2', 'a3'].map((text) =>
      alice.log.commit(alice.log.next(), [section(text)], { durability: 'local' }),
    )
    const stale = alice.log.next()
    for (const { durable } of lost) {
      await expect(durable).rejects.toMatchObject({ code: 'store-full' })
    }
    expect(failures).toEqual([{ code: 'store-full', rejected: lost.map(({ id }) => id) }])
    expect(() => alice.log.commit(stale, [], { durability: 'local' })).toThrow(
      expect.objectContaining({ code: 'store-failed' }),
    )
    broken = false
    await write(alice, 'a2 again')
    const last = alice.commits.get(alice.seen.at(-1)!)!
    expect(last.session).not.toBe(before.session)
    // Bob's commit was a dependency of a commit that is gone.
    const expected = [
      { session: before.session, seq: 1 },
      { session: bob.log.next().session, seq: 1 },
    ]
    expect(last.header.deps).toHaveLength(2)
    expect(last.header.deps).toEqual(expect.arrayContaining(expected))
    await sync(alice, bob)
    expect(contents(bob).toSorted()).toEqual(['a1', 'a2 again', 'b'])
  })
})

/*
 * Three devices that write, pass single runs on in any order, crash, and are set back to older copies of their stores. Whatever happens:
 * nobody ever sees an effect without its cause, and once everybody has passed everything on, all have seen the same.
 */
type Step =
  | { readonly kind: 'write'; readonly who: number; readonly count: number }
  | { readonly kind: 'pass'; readonly from: number; readonly to: number; readonly pick: number }
  | { readonly kind: 'restart' | 'save' | 'setBack'; readonly who: number }

const who = fc.nat({ max: 2 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      who,
      count: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      from: who,
      to: who,
      pick: fc.nat(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('restart' as const, 'save', 'setBack'), who }),
  },
)

describe('any history of three devices', () => {
  test('is delivered in causal order and converges', async () => {
    let waited = 0
    const steps = fc.array(step, { minLength: 40, maxLength: 90 })
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        waited += await live(history, {})
      }),
      { numRuns: 100 },
    )
    // Otherwise it would have tested nothing.
    expect(waited).toBeGreaterThan(50)
  }, 60_000)

  test.for<{ name: string; bug: PeerOptions }>([
    { name: 'delivery without dependencies', bug: { instead: bySession } },
    // Who draws the same numbers after every start writes again the session of which it has lost the end.
    { name: 'a session that is written again', bug: { seed: 0 } },
    { name: 'a delivery that is dropped', bug: { instead: dropping } },
  ])('shows a planted bug: $name', async ({ bug }) => {
    const steps = fc.array(step, { minLength: 40, maxLength: 90 })
    const found = await fc.check(
      fc.asyncProperty(steps, async (history) => {
        await live(history, bug)
      }),
      { numRuns: 150, endOnFailure: true },
    )
    expect(found.failed).toBe(true)
  })
})

/** A log that delivers one session after the other: each in its order, but not after what it depends on. */
function bySession(log: Log): Log {
  const order = (a: Commit, b: Commit): number =>
    a.session < b.session ? -1 : Number(a.session > b.session)
  return listening(log, (callback) => (commits) => callback(commits.toSorted(order)))
}

/** A log that hides every seventh commit from who listens. */
function dropping(log: Log): Log {
  let count = 0
  return listening(
    log,
    (callback) => (commits) => callback(commits.filter(() => ++count % 7 !== 0)),
  )
}

type Delivered = Parameters<Log['onDelivered']>[0]

/** `log` with other listeners of what is delivered. */
function listening(log: Log, change: (callback: Delivered) => Delivered): Log {
  const onDelivered: Log['onDelivered'] = (callback) => log.onDelivered(change(callback))
  return new Proxy(log, {
    get: (_, name) => {
      const value: unknown = name === 'onDelivered' ? onDelivered : Reflect.get(log, name)
      return typeof value === 'function' ? value.bind(log) : value
    },
  })
}

/** Lets the three devices live through `history` and checks them; gives how many commits had to wait. */
async function live(history: readonly Step[], bug: PeerOptions): Promise<number> {
  let opened = 0
  const open = (index: number, store = createMemoryStore()): Promise<Peer> =>
    openPeer(three, index, { store, seed: ++opened, ...bug })
  const peers = [await open(0), await open(1), await open(2)]
  const saved = new Map<number, ReturnType<Peer['store']['entries']>>()
  let waited = 0

  for (const each of history) {
    if (each.kind === 'write') {
      const texts = Array.from({ length: each.count }, (_, i) => `${opened}.${i}`)
      await writeMany(peers[each.who]!, texts)
    } else if (each.kind === 'pass') {
      const [from, to] = [peers[each.from]!, peers[each.to]!]
      const lacks = lacking(from, to)
      const chosen = lacks[each.pick % lacks.length]
      if (!chosen) continue
      const run = await from.log.range(chosen.session, chosen.next, 1)
      waited += (await to.log.admit(run!)).released
    } else if (each.kind === 'save') {
      saved.set(each.who, peers[each.who]!.store.entries())
    } else {
      const now = peers[each.who]!.store.entries()
      const entries = each.kind === 'setBack' ? (saved.get(each.who) ?? now) : now
      assertCausal(peers[each.who]!)
      peers[each.who] = await open(each.who, createMemoryStore(entries))
    }
  }

  for (let round = 0; round < 2; round++) {
    for (const from of peers) for (const to of peers) await sync(from, to)
  }
  // Who was set back may have been the only one to hold what others depend on: that waits where it is.
  const lossy = history.some(({ kind }) => kind === 'setBack')
  for (const peer of peers) {
    assertCausal(peer)
    expect(peer.seen.toSorted()).toEqual(peers[0]!.seen.toSorted())
    expect(lossy ? peer.log.delivered() : peer.log.stored()).toEqual(peer.log.delivered())
    expect(peer.log.delivered()).toEqual(peers[0]!.log.delivered())
    expect(peer.log.status()).toMatchObject({ frozen: [], contradicted: [] })
    expect(lossy || peer.log.status().waiting.commits === 0).toBe(true)
  }
  return waited
}

/** Every commit was seen once, and after all that it depends on. */
function assertCausal({ seen, commits }: Peer): void {
  const reached = new Map<SessionId, number>()
  for (const id of seen) {
    const { session, header } = commits.get(id)!
    expect(reached.get(session) ?? 0).toBe(header.seq - 1)
    for (const dep of header.deps) {
      expect(reached.get(dep.session) ?? 0).toBeGreaterThanOrEqual(dep.seq)
    }
    reached.set(session, header.seq)
  }
}
