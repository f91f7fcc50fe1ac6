import { counter, entity, errorKinds, PeerplaneError, type ErrorCode } from '@peerplane/core'
import { openAlone } from '@peerplane/runtime/testing'
import { expect, test } from 'vitest'

import type { Leadership } from './leader-side.ts'
import { openInTabs, type TabBackend } from './tabs.ts'
import { SimTab, World } from './world.fixture.test.ts'

const Count = entity('count', {
  state: counter(),
  commands: { up: (state) => state.increment(1) },
})
const SETTLED_MS = 10_000

let term = 0
const lead = async (): Promise<Leadership> => ({
  backend: await openAlone([Count]),
  term: ++term,
})

/** Runs the world until `promise` settles; gives what it rejects with. */
async function settled(world: World, promise: Promise<unknown>): Promise<unknown> {
  let done = false
  let failure: unknown
  promise.then(
    () => (done = true),
    (error: unknown) => {
      failure = error
      done = true
    },
  )
  expect(await world.run(120_000, () => done)).toBe(true)
  return failure
}

async function opened(world: World, tab: SimTab): Promise<TabBackend> {
  const opening = openInTabs(tab.env, 'space', 1, lead)
  expect(await settled(world, opening)).toBeUndefined()
  return opening
}

test.each(Object.keys(errorKinds) as ErrorCode[])(
  'a tab that fails to open leaves nothing in the browser: %s',
  async (code) => {
    const world = new World(1)
    const tab = new SimTab(world, 2)
    const failure = new PeerplaneError(code, 'the fault of this test')
    const opening = openInTabs(tab.env, 'space', 1, () => Promise.reject(failure))
    expect(await settled(world, opening)).toBe(failure)
    await world.run(50)
    expect(world.leftOf(tab)).toEqual([])
  },
)

test.each(['leads', 'follows'])(
  'a plane that is closed in a tab that %s leaves nothing in the browser',
  async (role) => {
    const world = new World(1)
    const [first, second] = [new SimTab(world, 2), new SimTab(world, 3)]
    const [leading, following] = [await opened(world, first), await opened(world, second)]
    const [tab, backend] = role === 'leads' ? [first, leading] : [second, following]
    const up = backend.invoke([{ type: 'count', id: 'x', command: 'up', input: undefined }], {})
    await settled(world, Promise.all([up, backend.close()]))
    await world.run(SETTLED_MS)
    expect(world.leftOf(tab)).toEqual([])
    expect(world.leftOf(tab === first ? second : first)).not.toEqual([])
  },
)
