import { listsContract } from '@peerplane/core/testing'
import { afterAll } from 'vitest'

import { open } from './index.ts'
import { newPage } from './page.fixture.test.ts'

let spaces = 0
const newSpace = (): string => `lists ${(spaces += 1)} ${performance.now()}`
const ending: (() => unknown)[] = []
afterAll(() => Promise.all(ending.map((end) => end())))

listsContract('a browser', async (entities) => {
  const space = newSpace()
  const here = () => open({ entities, space, network: false })
  return { plane: await here(), reopen: here }
})

listsContract('a tab that follows', async (entities) => {
  const space = newSpace()
  const { frame, loaded } = await newPage()
  const leader = await loaded.open({ entities, space, network: false })
  ending.push(async () => {
    await leader.close()
    frame.remove()
  })
  const here = () => open({ entities, space, network: false })
  return { plane: await here(), reopen: here }
})
