import { utf8 } from '@peerplane/core'
import { openDB } from 'idb'
import { expect, it, vi } from 'vitest'

import * as peerplane from './index.ts'
import type { TraceName } from './index.ts'
import { closeAll, newSpace, newTab, openTally, planes, tabFrames } from './tally.fixture.test.ts'
import { databaseOf, eraseSpace, spaces } from './spaces.ts'
import { openIndexedDbStore } from './storage/indexeddb.ts'

const listed = async (name: string) => (await spaces()).find((each) => each.name === name)

it('a page that was opened without an invitation stores and announces nothing before its first command', async () => {
  const name = newSpace()
  const told: TraceName[] = []
  const { counter, entity, open } = peerplane
  const Count = entity('count', {
    state: counter(),
    commands: { up: (count) => count.increment() },
  })
  const plane = await open({ entities: [Count], space: name, trace: (each) => told.push(each) })
  planes.push(plane)
  const count = plane.get(Count, 'a')
  expect(await count.state()).toBe(0)
  await plane.goOffline()
  await plane.goOnline()
  expect(plane.status()).toMatchObject({ membership: 'none', network: undefined, commits: 0 })
  const founding: readonly TraceName[] = ['space.founded', 'network.started', 'store.wrote']
  expect(told.filter((each) => founding.includes(each))).toEqual([])
  expect(await listed(name)).toBeUndefined()

  await count.up()
  await vi.waitFor(() => expect(told).toEqual(expect.arrayContaining([...founding])), 20_000)
  expect(plane.status()).toMatchObject({ membership: 'founded' })
  expect(await listed(name)).toMatchObject({ shared: false })
})

it('an invitation silently replaces an empty space, even if the same invitation was accepted under another name before', async () => {
  const host = await openTally(peerplane, newSpace())
  const invitation = await host.plane.invite()
  const [elsewhere, name] = [newSpace(), newSpace()]
  const [first, second] = [await openTally(peerplane, name), await openTally(await newTab(), name)]
  const before = await openTally(peerplane, elsewhere, invitation)
  await before.tally.vote()
  const joined = await openTally(peerplane, name, invitation)
  const { space } = host.plane.status()!
  for (const { plane } of [joined, first, second]) {
    await vi.waitFor(() => expect(plane.status()).toMatchObject({ space, membership: 'joined' }))
    expect(plane.status()!.lastError).toBeUndefined()
  }
  await second.tally.vote()
  expect(await joined.tally.state()).toEqual({ votes: 1 })
  // A joined space is not silently given up for another one.
  const other = await openTally(peerplane, newSpace())
  await expect(openTally(peerplane, name, await other.plane.invite())).rejects.toMatchObject({
    code: 'wrong-space',
  })
  expect(joined.plane.status()!.device).not.toBe(before.plane.status()!.device)
})

it('lists what is stored, open or not, and nothing that is not', async () => {
  const [own, shared, untouched] = [newSpace(), newSpace(), newSpace()]
  const first = await openTally(peerplane, own)
  expect(await listed(own)).toBeUndefined()
  await first.tally.vote()
  const { space } = first.plane.status()!
  expect(await listed(own)).toEqual({ name: own, space, shared: false, problem: undefined })
  await openTally(peerplane, untouched)
  const host = await openTally(peerplane, shared)
  await host.plane.invite()
  await closeAll()
  expect(await listed(shared)).toMatchObject({ shared: true, problem: undefined })
  expect(await listed(untouched)).toBeUndefined()
  // Reading disturbs nobody who comes later.
  const again = await openTally(peerplane, own)
  await listed(own)
  await again.tally.vote()
  expect(await again.tally.state()).toEqual({ votes: 2 })
})

it.each(['pairs', 'keys'])(
  'lists a space whose %s were cleared, and what is wrong',
  async (part) => {
    const name = newSpace()
    const { tally, plane } = await openTally(peerplane, name)
    await tally.vote()
    await planes.pop()!.close()
    expect(plane.status()).toBeDefined()
    const database = await openDB(databaseOf(name))
    await database.clear(part)
    database.close()
    expect(await listed(name)).toMatchObject({ problem: { code: 'storage-lost' } })
    await eraseSpace(name)
    expect(await listed(name)).toBeUndefined()
    const next = await openTally(peerplane, name)
    expect(next.plane.status()).toMatchObject({ membership: 'none' })
  },
)

it('a space is erased in all tabs that have it open, and its name is free for another space', async () => {
  const name = newSpace()
  const leader = await openTally(peerplane, name)
  const follower = await openTally(await newTab(), name)
  await follower.tally.vote()
  const { device } = leader.plane.status()!
  await eraseSpace(name)
  for (const { plane, tally } of [leader, follower]) {
    await expect(tally.vote()).rejects.toMatchObject({
      code: 'closed',
      message: expect.stringContaining('the space was erased in this browser') as string,
    })
    expect(plane.status()).toMatchObject({ lastError: { code: 'closed' } })
  }
  expect(await listed(name)).toBeUndefined()

  const host = await openTally(peerplane, newSpace())
  const invitation = await host.plane.invite()
  const joined = await openTally(peerplane, name, invitation)
  expect(joined.plane.status()).toMatchObject({
    membership: 'joined',
    space: host.plane.status()!.space,
  })
  expect(joined.plane.status()!.device).not.toBe(device)
  expect(await joined.tally.state()).toEqual({ votes: 0 })
})

it('a page that wakes up does not restore a space that was erased meanwhile', async () => {
  const name = newSpace()
  const away = await openTally(await newTab(), name)
  await away.tally.vote()
  const page = tabFrames[0]!.contentWindow!
  page.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))
  await vi.waitFor(async () =>
    expect((await navigator.locks.query()).held).not.toContainEqual(
      expect.objectContaining({ name: `peerplane:${name}` }),
    ),
  )
  await eraseSpace(name)
  page.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))
  await expect(away.tally.vote()).rejects.toMatchObject({ code: 'closed' })
  expect(await listed(name)).toBeUndefined()
})

it('a page that had a database open writes nothing to the database after the database was erased', async () => {
  const name = newSpace()
  const store = await openIndexedDbStore({ name: databaseOf(name) })
  await store.write([{ key: utf8('a'), value: utf8('1') }], 'synced')
  await eraseSpace(name)
  await expect(store.write([{ key: utf8('b'), value: utf8('1') }], 'synced')).rejects.toMatchObject(
    { code: 'store-locked' },
  )
  await store.close()
  const database = await openDB(databaseOf(name))
  const keys = [...database.objectStoreNames].map((each) => database.getAllKeys(each))
  const left = (await Promise.all(keys)).flat()
  database.close()
  expect(left.filter((key) => key !== 'term' && !Array.isArray(key))).toEqual([])
})

it('a name that nothing is stored under is none to erase, and none is made', async () => {
  const name = newSpace()
  await eraseSpace(name)
  expect((await indexedDB.databases()).map((each) => each.name)).not.toContain(databaseOf(name))
})
