import {
  compareTimestamps,
  decodeOpening,
  laterOf,
  MAX_COUNTER,
  type CommitId,
  type SessionId,
  type Timestamp,
} from '@peerplane/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { openings, sessionOfKey } from '../storage/keys.ts'
import { createMemoryStore } from '../storage/memory-store.ts'
import { handmade } from './handmade.fixture.test.ts'
import { members, openPeer, section, sync, write, type Peer } from './peer.fixture.test.ts'

const NOW = 1_700_000_000_000
const DAY = 86_400_000
const one = await members(1)
const two = await members(2)

/** The floors of the stored sessions. */
async function floorsOf({ store }: Peer): Promise<ReadonlyMap<SessionId, Timestamp | undefined>> {
  const stored = await store.scan(openings)
  return new Map(
    stored.map(({ key, value }) => [sessionOfKey(key), decodeOpening(value).opening.floor]),
  )
}

/** The raised time of a commit. */
async function raisedOf(peer: Peer, id: CommitId): Promise<Timestamp> {
  const { session, header } = peer.commits.get(id)!
  return laterOf(header.time, (await floorsOf(peer)).get(session) ?? header.time)
}

/** Whether `later` counts more than `earlier`; in one session, later commits have greater seqs. */
async function comesAfter(peer: Peer, earlier: CommitId, later: CommitId): Promise<boolean> {
  const isSame = peer.commits.get(earlier)!.session === peer.commits.get(later)!.session
  const order = compareTimestamps(await raisedOf(peer, earlier), await raisedOf(peer, later))
  return order < (isSame ? 1 : 0)
}

test('a session has a floor only if its clock is not later than what its device has written', async () => {
  const first = await openPeer(one, 0, { clockMs: NOW + 3 * DAY })
  await write(first, 'in a wrong year')
  const right = await openPeer(one, 0, { store: first.store, seed: 1, clockMs: NOW })
  await write(right, 'on the right day')
  const next = await openPeer(one, 0, { store: first.store, seed: 2, clockMs: NOW + DAY })
  const last = await write(next, 'a day later')
  const late = await openPeer(one, 0, { store: first.store, seed: 3, clockMs: NOW + 4 * DAY })
  await write(late, 'four days later')
  const floors = [...(await floorsOf(late)).values()].filter((each) => each !== undefined)
  expect(floors.sort(compareTimestamps)).toEqual([
    { ms: NOW + 3 * DAY, counter: 1 },
    { ms: NOW + 3 * DAY, counter: 2 },
  ])
  // People see when it was written.
  expect(next.commits.get(last)!.header.time.ms).toBe(NOW + DAY)
})

test('the last counter is followed by the next millisecond, and the last timestamp by nothing', async () => {
  for (const [time, floor] of [
    [
      { ms: NOW + 2 * DAY, counter: MAX_COUNTER },
      { ms: NOW + 2 * DAY + 1, counter: 0 },
    ],
    [
      { ms: Number.MAX_SAFE_INTEGER, counter: MAX_COUNTER },
      { ms: Number.MAX_SAFE_INTEGER, counter: MAX_COUNTER },
    ],
  ] as const) {
    const peer = await openPeer(two, 1)
    await peer.log.admit(await handmade(two, 1, 1, [[{ time }]]))
    await write(peer, 'after it')
    expect([...(await floorsOf(peer)).values()].filter((each) => each)).toEqual([floor])
  }
})

test('commits that are not stored yet count', async () => {
  const peer = await openPeer(two, 1)
  await peer.log.admit(await handmade(two, 1, 1, [[{ time: { ms: NOW + 2 * DAY, counter: 0 } }]]))
  const { durable } = peer.log.commit(peer.log.next(), [section('queued')], {
    durability: 'synced',
  })
  const retired = peer.log.retire()
  await Promise.all([durable, retired, write(peer, 'in the next session')])
  const [first, second] = await Promise.all(peer.seen.slice(-2).map((id) => raisedOf(peer, id)))
  expect(compareTimestamps(first!, second!)).toBeLessThan(0)
})

const step = fc.record({
  do: fc.constantFrom('write', 'restart', 'restart', 'restore', 'sync'),
  at: fc.nat(1),
  days: fc.nat(6),
})

test('what a device writes comes after all that it knows of its own commits', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      let seed = 0
      const isAfter: boolean[] = []
      const open = (days: number, store = createMemoryStore()): Promise<Peer> =>
        openPeer(one, 0, { store, seed: ++seed, clockMs: NOW + days * DAY })
      // Two copies of one device.
      const copies = [await open(3), await open(3)]
      const kept = copies.map(({ store }) => store.entries())
      for (const { do: what, at, days } of [...steps, { do: 'write', at: 0, days: 0 }]) {
        const copy = copies[at]!
        if (what === 'write') {
          const known = [...copy.seen]
          const made = await write(copy, 'x')
          for (const each of known) isAfter.push(await comesAfter(copy, each, made))
        } else if (what === 'sync') await sync(copy, copies[1 - at]!)
        else if (what === 'restart') {
          kept[at] = copy.store.entries()
          copies[at] = await open(days, copy.store)
        } else copies[at] = await open(days, createMemoryStore(kept[at]))
      }
      expect(isAfter).not.toContain(false)
    }),
    { numRuns: 60 },
  )
})
