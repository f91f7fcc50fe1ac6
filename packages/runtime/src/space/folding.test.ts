import type { EntityKey, Scheduler, SessionId } from '@peerplane/core'
import { createMemoryStore } from '@peerplane/crdt-store'
import { expect, test } from 'vitest'

import { systemScheduler } from '../index.ts'
import { invite } from '../membership/membership.ts'
import { device, pass, type Device } from './device.fixture.test.ts'

const LARGE = 5_000

test('large bodies that are delivered together are folded one per turn of the event loop', async () => {
  let turn = 0
  let isOver = false
  const folded: { readonly turn: number; readonly keys: readonly EntityKey[] }[] = []
  const ada = await device(createMemoryStore())
  const invitation = await invite(ada.ports, ada.membership, {
    hours: 1,
    role: 'member',
    addresses: [],
  })
  const eve = await device(createMemoryStore(), invitation)
  const bob = await device(
    createMemoryStore(),
    invitation,
    {},
    { changed: (keys) => folded.push({ turn, keys }) },
  )
  await ada.up('x', 1)
  await pass(ada, eve)
  for (let i = 0; i < 6; i++) await eve.fill(i < 3 ? 'all' : 'more', `${i}`, LARGE)
  await eve.up('y', 1)
  const [adas, eves] = [...eve.space.log.delivered().keys()].toSorted((a) =>
    ada.space.log.delivered().has(a) ? -1 : 1,
  )
  const turns = (async () => {
    for (; !isOver; turn++) await new Promise((resolve) => setImmediate(resolve))
  })()

  // All of it waits for this.
  await passAll(eve, bob, eves!)
  expect(folded).toEqual([])
  await passAll(eve, bob, adas!)
  expect(await bob.value('y')).toBe(1)
  expect(folded.flatMap(({ keys }) => keys).toSorted()).toEqual([
    'count/x',
    'count/y',
    ...Array.from({ length: 6 }, (_, i) => (i < 3 ? 'tags/all' : 'tags/more')),
  ])
  const large = folded.filter(({ keys }) => keys.some((key) => key.startsWith('tags/')))
  expect(new Set(large.map((each) => each.turn)).size).toBe(6)

  isOver = true
  await turns
  for (const each of [ada, eve, bob]) await each.close()
})

test('what was delivered is folded whole when the space closes in between', async () => {
  const store = createMemoryStore()
  const ada = await device(createMemoryStore())
  // A pause ends when the space closes, and otherwise never.
  const after: Scheduler['after'] = (ms, task) =>
    ms === 0 ? () => undefined : systemScheduler.after(ms, task)
  const invitation = await invite(ada.ports, ada.membership, {
    hours: 1,
    role: 'member',
    addresses: [],
  })
  const bob = await device(store, invitation, { scheduler: { after } })
  for (let i = 0; i < 3; i++) await ada.fill('all', `${i}`, LARGE)
  const [session] = [...ada.space.log.delivered().keys()]
  await passAll(ada, bob, session!)
  await bob.close()
  const { key } = bob.ports
  const again = await device(createMemoryStore(store.entries()), undefined, { key })
  expect(again.space.entities.folded()).toEqual(
    new Map([...again.space.log.delivered()].map(([session, { seq }]) => [session, seq])),
  )
  await ada.close()
  await again.close()
})

/** Passes on a session, piece by piece. */
async function passAll(from: Device, to: Device, session: SessionId): Promise<void> {
  const { seq } = from.space.log.delivered().get(session)!
  for (;;) {
    const held = to.space.log.stored().get(session)?.seq ?? 0
    if (held >= seq) return
    await to.space.log.admit((await from.space.log.range(session, held + 1, 1))!)
  }
}
