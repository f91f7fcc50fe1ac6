import { createPlane } from '@peerplane/runtime'
import { openAlone, planeContract } from '@peerplane/runtime/testing'
import { afterEach } from 'vitest'

import { createTab, type Tab } from './tab.fixture.test.ts'
import { openInTabs, type TabBackend } from './tabs.ts'

const tabs: Tab[] = []
let spaces = 0

afterEach(() => {
  for (const tab of tabs.splice(0)) tab.kill()
})

planeContract('a tab that follows', async (entities, report) => {
  const name = `plane ${(spaces += 1)}`
  const openTab = (): Promise<TabBackend> => {
    const tab = createTab()
    tabs.push(tab)
    return openInTabs(tab.env, name, 0, async () => ({
      backend: await openAlone(entities),
      term: 1,
    }))
  }
  await openTab()
  return createPlane(entities, await openTab(), { report })
})
