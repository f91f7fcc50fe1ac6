import { decodeOpening, type CommitId, type SessionId } from '@peerplane/core'
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

/** The starts of the stored sessions. */
async function startsOf({ store }: Peer): Promise<ReadonlyMap<SessionId, number>> {
  const stored = await store.scan(openings)
  return new Map(
    stored.map(({ key, value }) => [sessionOfKey(key), decodeOpening(value).opening.start!]),
  )
}

async function startOf(peer: Peer, id: CommitId): Promise<number> {
  return (await startsOf(peer)).get(peer.commits.get(id)!.session)!
}

test('a session starts at the time of the wall clock, or after the sessions that its device knows of itself', async () => {
  const first = await openPeer(one, 0, { clockMs: NOW + 3 * DAY })
  await write(first, 'in a wrong year')
  const { store } = first
  const starts: number[] = []
  for (const [seed, days] of [1, 2, 4].entries()) {
    const next = await openPeer(one, 0, { store, seed: seed + 1, clockMs: NOW + days * DAY })
    starts.push(await startOf(next, await write(next, 'later')))
  }
  expect(starts).toEqual([NOW + 3 * DAY + 1, NOW + 3 * DAY + 2, NOW + 4 * DAY])
})

test('a fast clock of another device changes no start', async () => {
  const peer = await openPeer(two, 0)
  const time = { ms: NOW + 3_600_000, counter: 0 }
  await peer.log.admit(await handmade(two, 1, 1, [[{ time }]], { start: time.ms }))
  const id = await write(peer, 'after it')
  expect(peer.commits.get(id)!.header.time.ms).toBe(time.ms)
  expect(await startOf(peer, id)).toBe(NOW)
})

test('after the latest valid start, it stays', async () => {
  const peer = await openPeer(two, 1)
  const start = Number.MAX_SAFE_INTEGER
  await peer.log.admit(await handmade(two, 1, 1, [[{}]], { start }))
  expect(await startOf(peer, await write(peer, 'after it'))).toBe(start)
})

test('sessions that are not stored yet count', async () => {
  const peer = await openPeer(one, 0)
  const { log } = peer
  const first = log.commit(log.next(), [section('queued')], { durability: 'synced' })
  const retired = log.retire()
  const second = await write(peer, 'in the next session')
  await Promise.all([first.durable, retired])
  expect(await startOf(peer, second)).toBe((await startOf(peer, first.id)) + 1)
})

const step = fc.record({
  do: fc.constantFrom('write', 'restart', 'restart', 'restore', 'sync'),
  at: fc.nat(1),
  days: fc.nat(6),
})

test('a session starts after all other sessions that its device knows of itself', async () => {
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
          const { session } = copy.commits.get(await write(copy, 'x'))!
          const starts = await startsOf(copy)
          for (const [other, start] of starts) {
            isAfter.push(other === session || start < starts.get(session)!)
          }
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
