import { isFunction, type FunctionTable } from '@peerplane/core/testing'
import type { Plane } from '@peerplane/runtime'
import { parameter, planeContract } from '@peerplane/runtime/testing'
import { afterEach } from 'vitest'

import { open, type BrowserPlane } from './index.ts'

let spaces = 0
const leading: BrowserPlane[] = []
afterEach(() => Promise.all(leading.splice(0).map((plane) => plane.close())))

const newSpace = (): string => `plane ${(spaces += 1)} ${performance.now()}`

planeContract(
  'a page',
  (entities, onError) => open({ entities, space: newSpace(), network: false, onError }),
  tabsRows,
)

planeContract(
  'a page that follows another',
  async (entities, onError) => {
    const options = { entities, space: newSpace(), network: false, onError }
    leading.push(await open(options))
    return open(options)
  },
  tabsRows,
)

function tabsRows(plane: () => Plane): FunctionTable {
  const onTabs = (listener: unknown): void =>
    (plane() as BrowserPlane).onTabs(listener as () => void)()
  return { tabs: {}, onTabs: { listener: parameter(isFunction, onTabs) } }
}
