import { splitEntityKey, type EntityKey } from '@peerplane/core'
import { createMemoryStore } from '@peerplane/crdt-store'
import { expect, test } from 'vitest'

import { systemClock } from '../index.ts'
import { invite } from '../membership/membership.ts'
import { device, pass } from '../space/device.fixture.test.ts'
import { Watches } from './watches.ts'

test('an entity that takes long to fold is shown late, and the others without it', async () => {
  const ada = await device(createMemoryStore())
  const { ports, membership } = ada
  const invitation = await invite(ports, membership, { hours: 1, role: 'member', addresses: [] })
  const bob = await device(createMemoryStore(), invitation)
  let calls = 0
  // Each look at the clock finds that more time has passed than others wait.
  const clock = { now: () => systemClock.now() + 150 * calls++ }
  const watches = new Watches({
    space: bob.space,
    ports: { ...bob.ports, clock },
    pendingOn: () => 0,
    failed: (error) => expect(error).toBeUndefined(),
  })
  const keys = ['note/x', 'count/c'] as EntityKey[]
  const shown: string[] = []
  for (const key of keys) {
    watches.watchEntity(key, (loaded) => {
      if (loaded.phase === 'ready') shown.push(splitEntityKey(key).type)
    })
  }
  await expect.poll(() => shown).toEqual(['note', 'count'])
  // What takes no long time is shown together.
  watches.show(keys)
  await expect.poll(() => shown).toEqual(['note', 'count', 'note', 'count'])
  shown.length = 0
  await ada.up('c', 1)
  await ada.enter('x', 'long '.repeat(20_000))
  for (let runs = 0; runs < 2; runs++) await pass(ada, bob)
  await bob.space.folded()
  watches.show(keys)
  await expect.poll(() => shown).toEqual(['count', 'note'])
  expect((await bob.space.entities.open(keys[0]!)).mirror).toEqual({
    text: 'long '.repeat(20_000),
  })
  watches.stop()
  await bob.close()
  await ada.close()
})
