import { counter, entity } from '@peerplane/core'
import { createMemoryStore } from '@peerplane/crdt-store'
import { expect, test } from 'vitest'

import {
  createPlane,
  openRuntime,
  systemClock,
  systemRandom,
  systemScheduler,
  webCrypto,
  type Plane,
} from './index.ts'

const Count = entity('count', {
  state: counter(),
  commands: {
    up: (state, by: number) => state.increment(by),
    mark: (state) => {
      state.increment()
      return () => 'not plain'
    },
  },
})

async function open(): Promise<Plane> {
  const crypto = webCrypto()
  const ports = {
    store: createMemoryStore(),
    key: await crypto.keyFromSeed(systemRandom.bytes(32)),
    crypto,
    random: systemRandom,
    clock: systemClock,
    scheduler: systemScheduler,
  }
  return createPlane([Count], await openRuntime(ports, { entities: [Count] }))
}

test('a reply that cannot be kept refuses the command before anything is appended', async () => {
  const plane = await open()
  const count = plane.get(Count, 'x')
  for (const options of [{}, { operationId: 'once' }]) {
    await expect(count.mark(undefined, options)).rejects.toMatchObject({ code: 'handler-failed' })
  }
  await count.up(5)
  expect(await count.state()).toBe(5)
  expect(await new Promise((resolve) => plane.onStatus(resolve))).toMatchObject({ commits: 1 })
  await plane.close()
})
