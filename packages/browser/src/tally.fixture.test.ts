import { afterEach } from 'vitest'

import type { BrowserPlane } from './index.ts'
import { newPage, type Peerplane } from './page.fixture.test.ts'

/** Planes that are closed, and frames that are removed, when a test ends. */
export const planes: BrowserPlane[] = []
/** The frames of other pages, in the order in which they were opened. */
export const tabFrames: HTMLIFrameElement[] = []
let spaces = 0

afterEach(async () => {
  await closeAll()
  for (const frame of tabFrames.splice(0)) frame.remove()
})

export async function closeAll(): Promise<void> {
  for (const plane of planes.splice(0)) await plane.close()
}

/** The name of a space that no other test has. */
export const newSpace = (): string => `tally ${(spaces += 1)} ${performance.now()}`

/** A plane without a network, and a tally on it. */
export async function openTally(product: Peerplane, space: string, invitation?: string) {
  const { counter, entity, open, record } = product
  const Tally = entity('tally', {
    state: record({ votes: counter() }),
    commands: { vote: (tally) => tally.votes.increment() },
  })
  const plane = await open({ entities: [Tally], space, network: false, join: invitation })
  planes.push(plane)
  return { plane, tally: plane.get(Tally, 'lunch') }
}

/** Another page of this profile, with the product loaded. */
export async function newTab(): Promise<Peerplane> {
  const { frame, loaded } = await newPage()
  tabFrames.push(frame)
  return loaded
}
