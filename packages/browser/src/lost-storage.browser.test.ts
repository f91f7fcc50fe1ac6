import { deleteDB, openDB } from 'idb'
import { describe, expect, it, vi } from 'vitest'
import { cdp } from 'vitest/browser'

import * as peerplane from './index.ts'
import { closeAll, newSpace, newTab, openTally, planes, tabFrames } from './tally.fixture.test.ts'

type Opened = Awaited<ReturnType<typeof openTally>>

async function inviteFromElsewhere(): Promise<string> {
  const host = await openTally(peerplane, newSpace())
  return host.plane.invite()
}

const statusOf = ({ plane }: Opened) => {
  const { space, device, membership, lost, lastError } = plane.status()!
  return { space, device, membership, lost, problem: lastError?.code }
}

/** Ways in which the storage of an open page goes away. */
const losses: Record<string, (name: string) => Promise<unknown>> = {
  'the site data are cleared': () =>
    cdp().send('Storage.clearDataForOrigin', {
      origin: location.origin,
      storageTypes: 'indexeddb,local_storage,cache_storage',
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

describe.each(Object.keys(losses))('when %s', (way) => {
  const lose = (space: string): Promise<unknown> => losses[way]!(`peerplane:${space}`)

  it('a page that loses its storage continues as the same member, and keeps everything that it acknowledged', async () => {
    const space = newSpace()
    const opened = await openTally(peerplane, space)
    const { plane, tally } = opened
    await tally.vote()
    const invitation = await plane.invite()
    const before = statusOf(opened)
    await lose(space)
    const votes = await voteUntilStored(opened)
    expect(statusOf(opened)).toMatchObject({ space: before.space, device: before.device })
    const { votes: shown } = await tally.state()
    const after = statusOf(opened)
    // Nothing that was acknowledged after the loss is missing, and what is missing from before is named.
    expect(shown + after.lost).toBe(votes + 1)
    expect(after.problem).toBe(after.lost > 0 ? 'storage-lost' : undefined)
    await closeAll()

    for (const join of [undefined, invitation]) {
      const again = await openTally(peerplane, space, join)
      expect(await again.tally.state()).toEqual({ votes: shown })
      expect(statusOf(again)).toEqual(after)
      await closeAll()
    }
  })

  it('all tabs of a space that loses its storage continue as the same member, and no command that a tab acknowledges is lost', async () => {
    const space = newSpace()
    const invitation = await inviteFromElsewhere()
    const leader = await openTally(await newTab(), space, invitation)
    const followers = [await openTally(await newTab(), space), await openTally(peerplane, space)]
    const tabs = [leader, ...followers]
    for (const { tally } of tabs) await tally.vote()
    const before = statusOf(leader)
    await lose(space)
    const votes = await Promise.all(tabs.map(voteUntilStored))
    const stored = votes.reduce((sum, each) => sum + each, 0)
    const { space: id, device, membership } = before
    for (const tab of tabs) expect(statusOf(tab)).toMatchObject({ space: id, device, membership })
    const { votes: shown } = await leader.tally.state()
    expect(shown + statusOf(leader).lost).toBe(stored + tabs.length)
    await closeAll()

    const again = await openTally(peerplane, space, invitation)
    expect(await again.tally.state()).toEqual({ votes: shown })
    expect(statusOf(again)).toMatchObject({ space: id, device, membership })
  })
})

it.each(['the site data are cleared', 'another page deletes the database'])(
  'a page that is reloaded after its storage was lost is the same member, and says what is lost and how to get it back: %s',
  async (way) => {
    const space = newSpace()
    const invitation = await inviteFromElsewhere()
    const opened = await openTally(peerplane, space, invitation)
    await opened.tally.vote()
    const before = statusOf(opened)
    await losses[way]!(`peerplane:${space}`)
    await vi.waitFor(() => expect(opened.plane.status()).toMatchObject({ lost: 1 }), 10_000)
    await closeAll()

    const again = await openTally(peerplane, space)
    expect(statusOf(again)).toEqual({ ...before, lost: 1, problem: 'storage-lost' })
    expect(again.plane.status()!.lastError!.message).toContain('1 commit')
    expect(again.plane.status()!.lastError!.message).toContain('other devices')
    await again.tally.vote()
    await closeAll()
    // The invitation that it once came with is not refused.
    const rejoined = await openTally(peerplane, space, invitation)
    expect(statusOf(rejoined)).toMatchObject({ space: before.space, membership: 'joined' })
    expect(await rejoined.tally.state()).toEqual({ votes: 1 })
  },
)

it('if the leading tab and the storage are lost, the next leading tab acknowledges nothing, and any invitation is accepted later', async () => {
  const space = newSpace()
  const invitation = await inviteFromElsewhere()
  const leader = await openTally(await newTab(), space, invitation)
  const follower = await openTally(peerplane, space)
  await follower.tally.vote()
  planes.splice(planes.indexOf(leader.plane), 1)
  tabFrames.pop()!.remove()
  await deleteDB(`peerplane:${space}`)
  for (let i = 0; i < 2; i++) {
    await expect(follower.tally.vote()).rejects.toMatchObject({ code: 'closed' })
  }
  expect(follower.plane.status()!.lastError).toMatchObject({ code: 'closed' })
  const again = await openTally(peerplane, space, invitation)
  expect(statusOf(again)).toMatchObject({ membership: 'joined' })
  expect(await again.tally.state()).toEqual({ votes: 0 })
})

/** Votes until one is acknowledged again, as an application that obeys `retry` does. Resolves with how many were. */
async function voteUntilStored({ plane, tally }: Opened): Promise<number> {
  const { role } = plane.tabs()
  const refusals: unknown[] = []
  let stored = 0
  await vi.waitFor(async () => {
    await tally.vote().catch((error: unknown) => {
      refusals.push(error)
      throw error
    })
    stored += 1
    expect(plane.tabs().role).toBe(role)
  }, 20_000)
  for (const error of refusals) expect(error).toMatchObject({ code: 'storage-lost', retry: true })
  return stored
}
