import { counter, entity, PeerplaneError } from '@peerplane/core'
import { deterministicCrypto, retryContract, seededRandom } from '@peerplane/core/testing'
import { openRuntime, type LocalBackend } from '@peerplane/runtime'
import { openAlone } from '@peerplane/runtime/testing'

import { SteadyBackend } from './steady-backend.ts'
import { openInTabs } from './tabs.ts'
import { SimTab, World } from './world.fixture.test.ts'

const Count = entity('count', {
  state: counter(),
  commands: { up: (state) => state.increment(1) },
})

const up = (backend: Pick<LocalBackend, 'invoke'>): ReturnType<LocalBackend['invoke']> =>
  backend.invoke([{ type: 'count', id: 'x', command: 'up', input: undefined }], {})

retryContract('a request to another tab', { by: 'others' }, async ({ time, attempt }) => {
  const runtime = await openAlone([Count])
  const steady = new SteadyBackend(
    { random: seededRandom(2), scheduler: time.scheduler },
    () => undefined,
  )
  const invoke: LocalBackend['invoke'] = async (...given) => {
    attempt()
    return runtime.invoke(...given)
  }
  steady.attach({ local: false, backend: { ...runtime, invoke } })
  return {
    begin: () => {
      // Ignored: that it is not rebuilt is what the test is about.
      up(steady.backend).catch(() => undefined)
    },
    later: async () => {
      await up(steady.backend)
    },
    close: () => runtime.close(),
  }
})

retryContract('a tab that leads', { by: 'itself' }, async ({ code, attempt }) => {
  const world = new World(1)
  const tab = new SimTab(world, 2)
  const over = Promise.withResolvers<void>()
  let term = 0
  let isFirst = true
  const opening = openInTabs(tab.env, 'space', 1, async (_before, taken) => {
    attempt()
    const opened = await world.database.open(tab, taken)
    term = opened.term
    const ports = {
      store: opened.store,
      key: await deterministicCrypto.keyFromSeed(new Uint8Array(32)),
      crypto: deterministicCrypto,
      random: seededRandom(term),
      clock: { now: () => Math.floor(1_800_000_000_000 + world.now) },
      scheduler: tab.scheduler,
    }
    const backend = await openRuntime(ports, { entities: [Count], online: false })
    const leadership = { backend, term }
    if (!isFirst) return leadership
    isFirst = false
    return { ...leadership, over: over.promise }
  })
  await world.run(5_000)
  const backend = await opening
  return {
    time: {
      get ms() {
        return world.now
      },
      pass: async (ms) => {
        await world.run(ms)
      },
    },
    // Its replica has to be opened again.
    begin: over.resolve,
    // What cannot be done by any tab is refused; it does not wait for an answer that never comes.
    later: async () => {
      try {
        await up(backend)
      } catch (error) {
        if (!(error instanceof PeerplaneError) || error.code !== code) throw error
      }
    },
    close: async () => {
      const closed = backend.close()
      await world.run(60_000)
      await closed
    },
  }
})
