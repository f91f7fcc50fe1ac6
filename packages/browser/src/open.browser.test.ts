import { openDB } from 'idb'
import { afterEach, expect, it, vi } from 'vitest'

import * as peerplane from './index.ts'
import type { BrowserPlane } from './index.ts'
import { newPage, type Peerplane } from './page.fixture.test.ts'

let spaces = 0
const frames: HTMLIFrameElement[] = []
const planes: BrowserPlane[] = []

afterEach(async () => {
  for (const plane of planes.splice(0)) await plane.close()
  for (const frame of frames.splice(0)) frame.remove()
})

it('keeps what was acknowledged from one opening to the next', async () => {
  const space = newSpace()
  const first = await openTally(peerplane, space)
  expect((await first.tally.vote()).durability).toBe('synced')
  await first.plane.close()
  const { tally, plane } = await openTally(peerplane, space)
  expect(await tally.state()).toEqual({ votes: 1 })
  expect(plane.status()).toMatchObject({ storage: 'ok', online: true })
})

it('shares one replica among all tabs, each with its own subscriptions', async () => {
  const space = newSpace()
  const leader = await openTally(peerplane, space)
  const follower = await openTally(await newTab(), space)
  expect(leader.plane.tabs()).toEqual({ role: 'leader', others: 1, outdated: false })
  expect(follower.plane.tabs()).toEqual({ role: 'follower', others: 1, outdated: false })
  expect(follower.plane.status()?.device).toBe(leader.plane.status()?.device)
  const seen = [votes(leader), votes(follower)]
  await follower.tally.vote()
  await leader.tally.vote()
  await eventually(() => expect(seen.map((each) => each.at(-1))).toEqual([2, 2]))
  await expect(follower.tally.refuse()).rejects.toMatchObject({
    code: 'rejected',
    rejection: 'no',
    reason: 'not today',
  })
})

it.each(['dies', 'closes'])('goes on in another tab when the leading one %s', async (end) => {
  const space = newSpace()
  const frame = await newTab()
  const leader = await openTally(frame, space)
  const heir = await openTally(peerplane, space)
  const third = await openTally(await newTab(), space)
  const seen = [votes(heir), votes(third)]
  await leader.tally.vote()
  await third.tally.vote()
  await eventually(() => expect(seen.map((each) => each.at(-1))).toEqual([2, 2]))
  // The page of a tab that crashes gets no event.
  if (end === 'dies') forgetPageEvents(frames[0]!)
  frames.shift()!.remove()
  planes.shift()
  const outcomes = await Promise.all([
    heir.tally.vote(),
    third.tally.vote(),
    third.plane.atomic((on) => {
      on(third.tally).vote()
      on(third.tally).vote()
    }),
  ])
  expect(outcomes.map(({ durability }) => durability)).toEqual(['synced', 'synced', 'synced'])
  await eventually(() => expect(seen.map((each) => each.at(-1))).toEqual([6, 6]))
  for (const each of seen) expect(each).toEqual([...new Set(each)].sort((a, b) => a - b))
  expect(heir.plane.tabs()).toEqual({ role: 'leader', others: 1, outdated: false })
  await eventually(() =>
    expect(third.plane.tabs()).toEqual({ role: 'follower', others: 1, outdated: false }),
  )
})

it('leaves when its page is kept for the back button, and joins again when it comes back', async () => {
  const space = newSpace()
  const first = await openTally(await newTab(), space)
  const second = await openTally(peerplane, space)
  const seen = votes(first)
  const page = frames[0]!.contentWindow!
  page.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))
  await second.tally.vote()
  await eventually(() =>
    expect(second.plane.tabs()).toEqual({ role: 'leader', others: 0, outdated: false }),
  )
  page.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))
  await first.tally.vote()
  await eventually(() => expect(seen.at(-1)).toBe(2))
  expect(first.plane.tabs()).toEqual({ role: 'follower', others: 1, outdated: false })
})

it.each([
  ['leads', 'pagehide'],
  ['leads', 'visibilitychange'],
  ['follows', 'pagehide'],
  ['follows', 'visibilitychange'],
] as const)(
  'commands that a page calls while it goes away are kept: a page that %s, at %s',
  async (role, event) => {
    const space = newSpace()
    const watcher = role === 'follows' ? await openTally(peerplane, space) : undefined
    let expected = 0
    for (let round = 0; round < 5; round++) {
      const frame = await newTab()
      const { plane, tally } = await openTally(frame, space)
      planes.pop()
      expect(plane.tabs().role).toBe(role === 'leads' ? 'leader' : 'follower')
      await tally.state()
      tally.subscribe(() => undefined)
      await tally.vote()
      const element = frames.pop()!
      const page = element.contentWindow!
      const target = event === 'pagehide' ? page : page.document
      target.addEventListener(event, () => {
        void tally.vote()
        void tally.vote()
      })
      // Some are on their way already, at every stage of it.
      for (let i = 0; i <= round; i++) {
        void tally.vote()
        if (i % 3 === 0) await new Promise((resolve) => setTimeout(resolve, i))
      }
      expected += round + 4
      const left = new Promise((resolve) =>
        element.addEventListener('load', resolve, { once: true }),
      )
      const idle = role === 'leads' ? occupyDatabases() : undefined
      page.location.replace('about:blank')
      await left
      element.remove()
      await idle
    }
    const heir = watcher ?? (await openTally(peerplane, space))
    await eventually(async () => expect(await heir.tally.state()).toEqual({ votes: expected }))
  },
)

it('keeps the first command of a space, although its page goes away with it', async () => {
  const space = newSpace()
  const { plane, tally } = await openTally(await newTab(), space)
  planes.pop()
  expect(await tally.state()).toEqual({ votes: 0 })
  const { space: id, device } = plane.status()!
  const element = frames.pop()!
  const page = element.contentWindow!
  page.addEventListener('pagehide', () => void tally.vote())
  const left = new Promise((resolve) => element.addEventListener('load', resolve, { once: true }))
  page.location.replace('about:blank')
  await left
  element.remove()
  const heir = await openTally(peerplane, space)
  expect(await heir.tally.state()).toEqual({ votes: 1 })
  expect(heir.plane.status()).toMatchObject({ space: id, device, membership: 'founded' })
  await heir.tally.vote()
  await heir.plane.close()
  expect(await (await openTally(peerplane, space)).tally.state()).toEqual({ votes: 2 })
})

it('takes an invitation as text or as an address, in any tab', async () => {
  const host = await openTally(peerplane, newSpace())
  const invitation = await host.plane.invite()
  const address = `https://tally.example/?a=b#join=${invitation}`
  expect(peerplane.invitationIn(address)).toBe(invitation)
  expect(peerplane.invitationIn('https://tally.example/')).toBeUndefined()

  const space = newSpace()
  const guest = await openTally(peerplane, space, { join: address })
  expect(guest.plane.status()?.space).toBe(host.plane.status()?.space)
  // Another tab opens the same link, one the plain page.
  await openTally(await newTab(), space, { join: invitation })
  await openTally(peerplane, space, { join: 'https://tally.example/' })
})

it('a browser refuses an invitation that would make it an anchor', async () => {
  const host = await openTally(peerplane, newSpace())
  const space = newSpace()
  const join = await host.plane.invite({ anchor: true })
  await expect(openTally(peerplane, space, { join })).rejects.toMatchObject({ code: 'unsupported' })
  const guest = await openTally(peerplane, space, { join: await host.plane.invite() })
  expect(guest.plane.status()?.space).toBe(host.plane.status()?.space)
})

it('every tab refuses text that is not an invitation, and an invitation to another space', async () => {
  const [first, second] = [newSpace(), newSpace()]
  const join = `${location.href.split('#')[0]}#join=pp1.nothing`
  await expect(openTally(peerplane, first, { join })).rejects.toMatchObject({
    code: 'invalid-invitation',
  })
  const host = await openTally(peerplane, first)
  const invitation = await host.plane.invite()
  const { tally } = await openTally(peerplane, second)
  await tally.vote()
  const [elsewhere, changed] = [
    { join: invitation },
    { join: `${invitation.slice(0, -8)}AAAAAAAA` },
  ]
  await expect(openTally(peerplane, second, elsewhere)).rejects.toMatchObject({
    code: 'wrong-space',
  })
  await expect(openTally(peerplane, second, changed)).rejects.toMatchObject({
    code: 'invalid-invitation',
  })
  expect(await tally.state()).toEqual({ votes: 1 })
})

it('an invitation replaces a space in which nobody has written, in all tabs that have it open', async () => {
  const host = await openTally(peerplane, newSpace())
  const invitation = await host.plane.invite()
  const space = newSpace()
  const plain = await openTally(peerplane, space)
  expect(await plain.tally.state()).toEqual({ votes: 0 })
  expect(plain.plane.status()).toMatchObject({ membership: 'none' })
  const seen = votes(plain)
  const invited = await openTally(await newTab(), space, { join: invitation })
  const joined = { space: host.plane.status()!.space, membership: 'joined' }
  await eventually(() => {
    expect(invited.plane.status()).toMatchObject(joined)
    expect(plain.plane.status()).toMatchObject(joined)
  })
  await invited.tally.vote()
  await plain.tally.vote()
  await eventually(() => expect(seen.at(-1)).toBe(2))
  await expect(
    openTally(peerplane, space, { join: await otherInvitation() }),
  ).rejects.toMatchObject({ code: 'wrong-space' })
})

async function otherInvitation(): Promise<string> {
  const { plane } = await openTally(peerplane, newSpace())
  return plane.invite()
}

/** Waits for it; the machine may be busy. */
const eventually = (check: () => void | Promise<void>): Promise<void> => vi.waitFor(check, 10_000)

const newSpace = (): string => `tally ${(spaces += 1)} ${performance.now()}`

async function openTally(
  { open, entity, record, counter, Rejected }: Peerplane,
  space: string,
  options: { readonly join?: string } = {},
) {
  const Tally = entity('tally', {
    state: record({ votes: counter() }),
    commands: {
      vote: (tally) => tally.votes.increment(),
      refuse: () => {
        throw new Rejected('no', 'not today')
      },
    },
  })
  const plane = await open({ entities: [Tally], space, network: false, ...options })
  planes.push(plane)
  return { plane, tally: plane.get(Tally, 'lunch') }
}

function votes({ tally }: Awaited<ReturnType<typeof openTally>>): number[] {
  const seen: number[] = []
  tally.subscribe((state) => seen.push(state.votes))
  return seen
}

async function newTab(): Promise<Peerplane> {
  const { frame, loaded } = await newPage()
  frames.push(frame)
  return loaded
}

/** Keeps the databases of this origin busy: what a page asks of them, and does not wait for, is lost if it ends meanwhile. */
async function occupyDatabases(): Promise<void> {
  const database = await openDB('busy', 1, {
    upgrade: (made) => void made.createObjectStore('all'),
  })
  const writes = Array.from({ length: 8 }, async (_, i) => {
    const transaction = database.transaction('all', 'readwrite', { durability: 'strict' })
    await transaction.store.put(new Uint8Array(1_000_000), i)
    await transaction.done
  })
  await Promise.all(writes)
  database.close()
}

/** From now on the page is not told that it goes away. */
function forgetPageEvents(frame: HTMLIFrameElement): void {
  const page = frame.contentWindow!
  const stop = (event: Event): void => event.stopImmediatePropagation()
  page.document.addEventListener('pagehide', stop, { capture: true })
  page.addEventListener('pagehide', stop, { capture: true })
}
