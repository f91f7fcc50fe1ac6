import { deleteDB, openDB } from 'idb'
import { afterEach, expect, it, vi } from 'vitest'
import { cdp } from 'vitest/browser'

import { counter, entity, open, record, type BrowserPlane } from './index.ts'

const Tally = entity('tally', {
  state: record({ votes: counter() }),
  commands: { vote: (tally) => tally.votes.increment() },
})

const planes: BrowserPlane[] = []
let spaces = 0
const newSpace = (): string => `lost ${(spaces += 1)} ${performance.now()}`

afterEach(async () => {
  for (const plane of planes.splice(0)) await plane.close()
})

async function openTally(space: string, invitation?: string) {
  const plane = await open({ entities: [Tally], space, network: false, join: invitation })
  planes.push(plane)
  return { plane, tally: plane.get(Tally, 'lunch') }
}

type Opened = Awaited<ReturnType<typeof openTally>>

const statusOf = ({ plane }: Opened) => {
  const { space, device, membership, lost, lastError } = plane.status()!
  return { space, device, membership, lost, problem: lastError?.code }
}

/** Ways in which the storage of an open page goes away. */
const losses: Record<string, (name: string) => Promise<unknown>> = {
  'the site data are cleared': () =>
    cdp().send('Storage.clearDataForOrigin', {
      origin: location.origin,
      storageTypes: 'indexeddb',
    }),
  'another page deletes the database': deleteDB,
  'another page clears the database': async (name) => {
    const database = await openDB(name)
    const transaction = database.transaction([...database.objectStoreNames], 'readwrite')
    for (const each of database.objectStoreNames) await transaction.objectStore(each).clear()
    await transaction.done
    database.close()
  },
}

for (const [way, lose] of Object.entries(losses)) {
  it(`when ${way}, the page goes on as the same member, and what it acknowledges stays`, async () => {
    const space = newSpace()
    const opened = await openTally(space)
    const { plane, tally } = opened
    await tally.vote()
    await plane.invite()
    const before = statusOf(opened)
    await lose(`peerplane:${space}`)
    const votes = await voteUntilStored(opened)
    expect(statusOf(opened)).toMatchObject({ space: before.space, device: before.device })
    const { votes: shown } = await tally.state()
    const after = statusOf(opened)
    // Nothing that was acknowledged after the loss is missing, and what is missing from before is named.
    expect(shown + after.lost).toBe(votes + 1)
    expect(after.problem).toBe(after.lost > 0 ? 'storage-lost' : undefined)
    await planes.pop()!.close()

    const again = await openTally(space)
    expect(await again.tally.state()).toEqual({ votes: shown })
    expect(statusOf(again)).toEqual(after)
  })
}

/** Votes until one is acknowledged again, as an application that obeys `retry` does. Resolves with how many were. */
async function voteUntilStored({ plane, tally }: Opened): Promise<number> {
  const refusals: unknown[] = []
  let stored = 0
  await vi.waitFor(async () => {
    await tally.vote().catch((error: unknown) => {
      refusals.push(error)
      throw error
    })
    stored += 1
    expect(plane.tabs().role).toBe('leader')
  }, 20_000)
  for (const error of refusals) expect(error).toMatchObject({ code: 'storage-lost', retry: true })
  return stored
}
