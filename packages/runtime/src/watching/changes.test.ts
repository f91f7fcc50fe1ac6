import { PeerplaneError, type EntityKey, type KeyRange, type Store } from '@peerplane/core'
import {
  deterministicCrypto,
  retryContract,
  VirtualTime,
  type RetryFixture,
  type RetryWorld,
} from '@peerplane/core/testing'
import { createMemoryStore } from '@peerplane/crdt-store'
import { expect, test } from 'vitest'

import { device, pass, type Device } from '../space/device.fixture.test.ts'
import { invite } from '../membership/membership.ts'
import type { ListedEntity } from '../contract/states.ts'
import { Watches } from './watches.ts'

const SNAPSHOTS = 0x21
const WAITING = 0x22

/** A store that calls `read` before each reading of a document. */
const watched = (inner: Store, read: () => void): Store => ({
  ...inner,
  get: async (key) => {
    if (key[0] === SNAPSHOTS) read()
    return inner.get(key)
  },
  scan: async (range: KeyRange) => {
    if (range.from[0] === WAITING) read()
    return inner.scan(range)
  },
})

interface Pair {
  /** Where documents are written. */
  readonly ada: Device
  /** Where they are watched. */
  readonly bob: Device
  readonly watches: Watches
}

async function pairOf({ time, attempt }: Pick<RetryWorld, 'time' | 'attempt'>): Promise<Pair> {
  const as = { crypto: deterministicCrypto, clock: time.clock, scheduler: time.scheduler }
  const ada = await device(createMemoryStore(), undefined, as)
  const store = watched(createMemoryStore(), attempt)
  const invitation = await invite(ada.ports, ada.membership, {
    hours: 1,
    role: 'member',
    addresses: [],
  })
  const bob: Device = await device(store, invitation, as, {
    changed: (keys: readonly EntityKey[]) => watches.show(keys),
    reset: () => watches.showAll(),
  })
  const { space, ports } = bob
  const watches: Watches = new Watches({
    space,
    ports,
    pendingOn: () => 0,
    failed: () => undefined,
  })
  return { ada, bob, watches }
}

/** A document that `watch` shows is changed elsewhere, and cannot be read when the change comes. */
const changedElsewhere =
  (watch: (watches: Watches, show: (state: unknown) => void) => void) =>
  async ({ time, attempt }: RetryWorld): Promise<RetryFixture> => {
    const { ada, bob, watches } = await pairOf({ time, attempt })
    let shown: unknown
    watch(watches, (state) => (shown = state))
    await ada.enter('x', 'one')
    await pass(ada, bob)
    await time.pass(5_000)
    // It leaves memory, so that it has to be read again.
    await bob.space.entities.discard()
    await ada.enter('x', 'two')
    return {
      begin: () => void pass(ada, bob),
      later: async () => {
        await ada.enter('x', 'three')
        await pass(ada, bob)
        await expect.poll(() => shown).toEqual({ text: 'three' })
      },
      close: async () => {
        watches.stop()
        await bob.close()
        await ada.close()
      },
    }
  }

retryContract(
  'a change of a watched entity',
  { by: 'itself' },
  changedElsewhere((watches, show) =>
    watches.watchEntity('note/x' as EntityKey, (loaded) => {
      if (loaded.phase === 'ready') show(loaded.state)
    }),
  ),
)

retryContract(
  'a change in a watched listing',
  { by: 'itself' },
  changedElsewhere((watches, show) =>
    watches.watchType('note', {}, (rows) => show(rows[0]?.state)),
  ),
)

test('while a changed row cannot be read, a listing keeps the old row; it shows the change later', async () => {
  const time = new VirtualTime()
  let fails = false
  const { ada, bob, watches } = await pairOf({
    time,
    attempt: () => {
      if (fails) throw new PeerplaneError('store-failed', 'the disk does not answer')
    },
  })
  const shown: (readonly ListedEntity[])[] = []
  await ada.enter('x', 'one')
  await pass(ada, bob)
  watches.watchType('note', {}, (rows) => shown.push(rows))
  await time.pass(5_000)
  expect(shown.at(-1)).toEqual([{ id: 'x', state: { text: 'one' } }])
  const before = shown.length
  await bob.space.entities.discard()
  await ada.enter('x', 'two')
  fails = true
  await pass(ada, bob)
  await time.pass(5_000)
  fails = false
  await time.pass(5_000)
  expect(shown.slice(before)).toEqual([[{ id: 'x', state: { text: 'two' } }]])
})
