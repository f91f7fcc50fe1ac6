import { counter, entity, PeerplaneError, type Store } from '@peerplane/core'
import { deterministicCrypto, seededRandom } from '@peerplane/core/testing'
import { openRuntime } from '@peerplane/runtime'
import { expect, test } from 'vitest'

import { openInTabs, type TabBackend } from './tabs.ts'
import { SimTab, World } from './world.fixture.test.ts'

const Count = entity('count', {
  state: counter(),
  commands: { up: (state) => state.increment(1) },
})

test('a tab that takes over keeps the number of undone commands and counts on from there', async () => {
  const world = new World(1)
  let isFull = false
  const openTab = async (
    seed: number,
  ): Promise<{ tab: SimTab; backend: TabBackend; undone: () => number }> => {
    const tab = new SimTab(world, seed)
    const opening = openInTabs(tab.env, 'space', 0, async ({ undone }, taken) => {
      const { store, term } = await world.database.open(tab, taken)
      const write: Store['write'] = async (writes, durability) => {
        if (isFull) throw new PeerplaneError('store-full', 'there is no room')
        await store.write(writes, durability)
      }
      const ports = {
        store: { ...store, write },
        key: await deterministicCrypto.keyFromSeed(new Uint8Array(32)),
        crypto: deterministicCrypto,
        random: seededRandom(term),
        clock: { now: () => Math.floor(1_800_000_000_000 + world.now) },
        scheduler: tab.scheduler,
      }
      const backend = await openRuntime(ports, { entities: [Count], online: false, undone })
      return { backend, term }
    })
    await world.run(5_000)
    const backend = await opening
    let undone = -1
    backend.watchStatus((status) => (undone = status.undone))
    await world.run(1_000)
    return { tab, backend, undone: () => undone }
  }
  const up = async (backend: TabBackend): Promise<void> => {
    const command = { type: 'count', id: 'x', command: 'up', input: undefined }
    const called = backend.invoke([command], { durability: 'memory' })
    await world.run(2_000)
    await called
  }
  const undo = async (backend: TabBackend): Promise<void> => {
    isFull = true
    await up(backend)
    isFull = false
  }

  const first = await openTab(1)
  const [second, third] = [await openTab(2), await openTab(3)]
  await up(first.backend)
  await undo(first.backend)
  expect([first, second, third].map(({ undone }) => undone())).toEqual([1, 1, 1])
  first.tab.die()
  await world.run(5_000)
  expect(second.backend.tabs().role).toBe('leader')
  expect([second, third].map(({ undone }) => undone())).toEqual([1, 1])
  await undo(second.backend)
  expect([second, third].map(({ undone }) => undone())).toEqual([2, 2])
})
