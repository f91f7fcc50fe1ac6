import { listsContract } from '@peerplane/core/testing'
import { createMemoryStore } from '@peerplane/crdt-store'

import {
  createPlane,
  openRuntime,
  systemClock,
  systemRandom,
  systemScheduler,
  webCrypto,
} from './index.ts'

const crypto = webCrypto()

listsContract('memory', async (entities) => {
  const key = await crypto.keyFromSeed(systemRandom.bytes(32))
  const open = async (store: ReturnType<typeof createMemoryStore>) => {
    const ports = {
      store,
      key,
      crypto,
      random: systemRandom,
      clock: systemClock,
      scheduler: systemScheduler,
    }
    return createPlane(entities, await openRuntime(ports, { entities }))
  }
  const store = createMemoryStore()
  return { plane: await open(store), reopen: () => open(createMemoryStore(store.entries())) }
})
