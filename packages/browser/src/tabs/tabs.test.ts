import { counter, entity, limits, PeerplaneError, Rejected, type Json } from '@peerplane/core'
import { seededRandom } from '@peerplane/core/testing'
import { createPlane, type Backend, type Loaded, type Outcome } from '@peerplane/runtime'
import { afterEach, describe, expect, it, vi } from 'vitest'

import { broadcastChannel, webLocks } from '../adapters/tab-environment.ts'
import { createDisk, openShelf, unknownType, type Disk } from './shelf.fixture.test.ts'
import { createTab, type Tab } from './tab.fixture.test.ts'
import { openInTabs, type TabBackend } from './tabs.ts'

const Shelf = entity('shelf', { state: counter(), commands: {} })
const tabs: Tab[] = []

afterEach(() => {
  for (const tab of tabs.splice(0)) tab.kill()
})

describe('tabs of one space', () => {
  it('share one replica: the first leads, others follow', async () => {
    const { open, disk } = await browser()
    const first = await open()
    const second = await open()
    expect([first.tabs().role, second.tabs().role]).toEqual(['leader', 'follower'])
    await increment(second, 'a', 2)
    await increment(first, 'a', 3)
    expect(await shown(second, 'a', 5)).toBe(5)
    expect(await second.list('shelf', {})).toEqual([{ id: 'a', state: 5 }])
    expect(await second.invite({ hours: 2 })).toBe('invitation for 2 hours')
    expect(disk.opened).toBe(1)
  })

  it('know how many they are', async () => {
    const { open } = await browser()
    const first = await open()
    const counts: number[] = []
    first.watchTabs(({ others }) => counts.push(others))
    const second = await open()
    const third = await open()
    await eventually(() => expect(second.tabs().others).toBe(2))
    expect(third.tabs()).toEqual({ role: 'follower', others: 2, outdated: false })
    await second.close()
    await eventually(() => expect(third.tabs().others).toBe(1))
    expect(counts).toEqual([1, 2, 1])
  })

  it('open at the same time and agree on one leader', async () => {
    const { open, disk } = await browser()
    const opened = await Promise.all([open(), open(), open(), open()])
    expect(opened.filter((tab) => tab.tabs().role === 'leader')).toHaveLength(1)
    await Promise.all(opened.map((tab) => increment(tab, 'a', 1)))
    expect(disk.values.get('a')).toBe(4)
    expect(disk.mostOpened).toBe(1)
  })

  it('report what the runtime reports, with every field of the error', async () => {
    const { open } = await browser()
    await open()
    const follower = await open()
    const rejection = await increment(follower, 'a', -1).catch((error: unknown) => error)
    const same = new Rejected('not-below-zero', 'a shelf cannot hold -1')
    expect(rejection).toBeInstanceOf(Rejected)
    const { code, message, reason } = same
    expect(rejection).toMatchObject({ code, message, rejection: 'not-below-zero', reason })
    const unknown = await follower.list('cellar', {}).catch((error: unknown) => error)
    expect(unknown).toBeInstanceOf(PeerplaneError)
    expect(unknown).toMatchObject({ code: 'unknown-entity', message: unknownType.message })
    await expect(increment(follower, 'a', (() => 1) as unknown as number)).rejects.toMatchObject({
      code: 'invalid-input',
    })
  })

  it('a listener that throws in a following tab is reported in that tab, and affects nothing else', async () => {
    const { open } = await browser()
    const leader = await open()
    const follower = await open()
    const reported: string[] = []
    const plane = createPlane([Shelf], follower, { report: ({ code }) => reported.push(code) })
    const fail = vi.fn<() => void>(() => {
      throw new TypeError('a mistake of the application')
    })
    plane.get(Shelf, 'a').subscribe(fail)
    plane.subscribe(Shelf, fail)
    plane.onStatus(fail)
    const seen: number[] = []
    plane.get(Shelf, 'a').subscribe((state) => seen.push(state))
    await eventually(() => expect(seen).toEqual([0]))
    await increment(leader, 'a', 1)
    await eventually(() => expect(seen).toEqual([0, 1]))
    await eventually(() => expect(fail).toHaveBeenCalledTimes(5))
    expect(reported).toEqual(Array.from({ length: 5 }, () => 'listener-failed'))
  })

  it('show why an entity cannot be shown', async () => {
    const { open } = await browser()
    await open()
    const follower = await open()
    const shown: Loaded[] = []
    follower.watchEntity('cellar', 'a', (entity) => shown.push(entity))
    await eventually(() => expect(shown).toHaveLength(1))
    expect(shown[0]).toMatchObject({ phase: 'unreadable', problem: { code: 'unknown-entity' } })
  })
})

describe('a take-over', () => {
  it('goes unnoticed when the leader closes', async () => {
    const { open, disk } = await browser()
    const first = await open()
    const second = await open()
    const third = await open()
    const seen = [watch(second, 'a'), watch(third, 'a')]
    await eventually(() => expect(seen).toEqual([counts(0), counts(0)]))
    await increment(third, 'a', 1)
    await eventually(() => expect(seen).toEqual([counts(0, 1), counts(0, 1)]))
    await first.close()
    await increment(second, 'a', 1)
    await eventually(() => expect(seen).toEqual([counts(0, 1, 2), counts(0, 1, 2)]))
    await increment(third, 'a', 1)
    await eventually(() => expect(seen).toEqual([counts(0, 1, 2, 3), counts(0, 1, 2, 3)]))
    expect([second.tabs().role, third.tabs().role]).toEqual(['leader', 'follower'])
    expect(disk.mostOpened).toBe(1)
  })

  it('runs a command once that the dying leader had run but not answered', async () => {
    const { open, disk, tab } = await browser()
    const first = await open()
    const follower = await open()
    const seen = watch(follower, 'a')
    await increment(follower, 'a', 1)
    await eventually(() => expect(seen.at(-1)).toBe(1))
    disk.beforeAnswer = () => tab(first).kill()
    const outcome = await increment(follower, 'a', 1)
    expect(outcome).toMatchObject({ commit: 'commit 2', replies: [2] })
    expect(disk.values.get('a')).toBe(2)
    await eventually(() => expect(seen.at(-1)).toBe(2))
    await increment(follower, 'a', 1)
    await eventually(() => expect(seen.at(-1)).toBe(3))
    expectRising(seen)
  })

  it('keeps the network as the application wanted it', async () => {
    const { open, disk } = await browser()
    const first = await open()
    const follower = await open()
    expect(disk.openedOnline).toEqual([undefined])
    await follower.setOnline(false)
    await first.close()
    await increment(follower, 'a', 1)
    expect(disk.openedOnline).toEqual([undefined, false])
  })

  it('happens by another tab when the first in the queue cannot open the store', async () => {
    const { open, disk } = await browser()
    const first = await open()
    const second = await open()
    const third = await open()
    disk.failures.push(new PeerplaneError('store-failed', 'the disk is gone'))
    await first.close()
    await increment(second, 'a', 1)
    expect(disk.values.get('a')).toBe(1)
    expect(third.tabs().role).toBe('leader')
  })

  it('loses no acknowledged command and shows nothing twice, whichever tab dies, at any time', async () => {
    for (let seed = 1; seed <= 20; seed++) await campaign(seed)
  }, 60_000)
})

describe('a follower', () => {
  it('that dies is forgotten by the leader', async () => {
    const { open, disk, tab } = await browser()
    const leader = await open()
    const follower = await open()
    watch(follower, 'a')
    await eventually(() => expect(disk.watchers).toBe(1))
    tab(follower).kill()
    await eventually(() => expect([disk.watchers, leader.tabs().others]).toEqual([0, 0]))
  })

  it('all commands of a follower are executed, even commands that arrive after the follower has closed', async () => {
    const { open, disk, tab } = await browser()
    const leader = await open({ hearsAfterMs: 20 })
    const follower = await open()
    for (let i = 0; i < 20; i++) void increment(follower, 'a', 1)
    // What was posted is on its way; the lock is free at once.
    setTimeout(() => tab(follower).kill())
    await eventually(() => expect(leader.tabs().others).toBe(0))
    await eventually(() => expect(disk.values.get('a')).toBe(20))
    expect(disk.watchers).toBe(0)
  })

  it('gets "unknown" at the deadline of a command, and can ask for the outcome', async () => {
    const { open, disk, tab } = await browser()
    await open()
    const follower = await open()
    disk.beforeAnswer = () => new Promise(() => {})
    const asked = increment(follower, 'a', 1)
    tab(follower).pass(limits.tabAnswerMs)
    await expect(asked).rejects.toMatchObject({ code: 'unknown', operationId: anyText })
  })

  it('may only have so many requests open', async () => {
    const { open, disk, tab } = await browser()
    await open()
    const follower = await open()
    disk.beforeAnswer = () => new Promise(() => {})
    const asked = Array.from({ length: limits.tabQueue }, () => increment(follower, 'a', 1))
    await expect(increment(follower, 'a', 1)).rejects.toMatchObject({ code: 'overloaded' })
    const closed = follower.close()
    tab(follower).pass(limits.tabAnswerMs)
    const codes = await Promise.all(
      asked.map((each) => each.catch(({ code }: PeerplaneError) => code)),
    )
    // Some may have been answered by the tab itself, which takes over from a leader that says nothing.
    const failed = codes.filter((code) => typeof code === 'string')
    expect(new Set(failed)).toEqual(new Set(['unknown']))
    await closed
  })

  it('that is slow gets the latest view instead of all', async () => {
    const { open } = await browser()
    const leader = await open()
    const follower = await open()
    const seen = watch(follower, 'a')
    await eventually(() => expect(seen).toEqual(counts(0)))
    await Promise.all(Array.from({ length: 100 }, () => increment(leader, 'a', 1)))
    await eventually(() => expect(seen.at(-1)).toBe(100))
    expect(seen.length).toBeLessThan(50)
  })

  it('keeps the rows that did not change', async () => {
    const { open } = await browser()
    const leader = await open()
    const follower = await open()
    await increment(leader, 'b', 1)
    await increment(leader, 'c', 1)
    const lists: (readonly { readonly id: string; readonly state: Json }[])[] = []
    follower.watchType('shelf', {}, (rows) => lists.push(rows))
    await eventually(() => expect(lists).toHaveLength(1))
    await increment(leader, 'a', 1)
    await eventually(() => expect(lists).toHaveLength(2))
    expect(lists[1]).toEqual([
      { id: 'a', state: 1 },
      { id: 'b', state: 1 },
      { id: 'c', state: 1 },
    ])
    expect(lists[1]![1]).toBe(lists[0]![0])
  })
})

describe('opening', () => {
  it('fails as opening the runtime fails, and leaves the way free', async () => {
    const { open, disk } = await browser()
    disk.failures.push(new PeerplaneError('store-version', 'this is the future'))
    await expect(open()).rejects.toMatchObject({ code: 'store-version' })
    expect((await open()).tabs().role).toBe('leader')
  })

  it('takes over from a tab that leads and gives no sign of life', async () => {
    const { open, name, disk } = await browser()
    const held = webLocks().hold(
      `peerplane:${name}`,
      new AbortController().signal,
      (lost) => new Promise((resolve) => lost.addEventListener('abort', () => resolve())),
    )
    const tab = await open()
    await held
    await increment(tab, 'a', 1)
    expect([tab.tabs().role, disk.values.get('a')]).toEqual(['leader', 1])
  })

  it('fails when another tab lives and never gets its store open', async () => {
    const { open, name } = await browser()
    let release = (): void => {}
    const held = webLocks().hold(
      `peerplane:${name}`,
      new AbortController().signal,
      () => new Promise((resolve) => (release = resolve)),
    )
    const opener = broadcastChannel(`peerplane-tabs-1:${name}`, () =>
      opener.post({ kind: 'opening' }),
    )
    const opening = open()
    opening.catch(() => undefined)
    // Longer than the silence after which it would take over.
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    tabs.at(-1)!.pass(limits.tabAnswerMs)
    await expect(opening).rejects.toMatchObject({ code: 'store-locked' })
    release()
    await held
    opener.close()
  })

  it('a plane works although another program sends messages to the tabs', async () => {
    const { open, name } = await browser()
    const noise = broadcastChannel(`peerplane-tabs-1:${name}`, () => {})
    const leader = await open()
    for (const message of [null, 7, 'hello', {}, { kind: 'hello' }, { kind: 'hello', tab: 7 }]) {
      noise.post(message)
    }
    const follower = await open()
    await increment(follower, 'a', 1)
    expect(leader.tabs().others).toBe(1)
    noise.close()
  })
})

describe('a tab that is closed', () => {
  it.each(['leader', 'follower'] as const)(
    'commands that were called in a tab before it closes are decided: closing as %s',
    async (role) => {
      const { open, disk } = await browser()
      const opened = [await open(), await open()]
      disk.latency = () => 3
      const closing = opened.find((each) => each.tabs().role === role)!
      const asked = Array.from({ length: 20 }, () => increment(closing, 'a', 1))
      await Promise.all([closing.close(), closing.close()])
      expect(disk.values.get('a')).toBe(20)
      await Promise.all(asked)
      await expect(increment(closing, 'a', 1)).rejects.toMatchObject({ code: 'closed' })
    },
  )

  it('while another takes over has everything decided, too', async () => {
    const { open, disk, tab } = await browser()
    const [first, second] = [await open(), await open()]
    disk.latency = () => 3
    tab(first).kill()
    const asked = Array.from({ length: 20 }, () => increment(second, 'a', 1))
    await second.close()
    expect(disk.values.get('a')).toBe(20)
    await Promise.all(asked)
    expect((await open()).tabs().role).toBe('leader')
  })
})

describe('tabs of two versions of the application', () => {
  it('are led by the newest, which the older ones follow', async () => {
    const { open } = await browser()
    const old = await open({ version: 1 })
    const before = increment(old, 'a', 1)
    const fresh = await open({ version: 2 })
    await increment(fresh, 'a', 1)
    expect(fresh.tabs()).toMatchObject({ role: 'leader', outdated: false })
    await before
    await eventually(() => expect(old.tabs()).toMatchObject({ role: 'follower', outdated: true }))
    await increment(old, 'a', 1)
    const seen = watch(old, 'a')
    await eventually(() => expect(seen.at(-1)).toBe(3))
  })

  it('do not change places when an older one comes', async () => {
    const { open, disk } = await browser()
    const fresh = await open({ version: 2 })
    const old = await open({ version: 1 })
    await increment(old, 'a', 1)
    expect(fresh.tabs().role).toBe('leader')
    expect(old.tabs()).toMatchObject({ role: 'follower', outdated: true })
    expect(disk.opened).toBe(1)
  })

  it('nothing called meanwhile is lost or done twice', async () => {
    const { open, disk } = await browser()
    const old = await open({ version: 1 })
    const follower = await open({ version: 1 })
    const calls = Array.from({ length: 50 }, (_, i) => increment(i % 2 ? old : follower, 'a', 1))
    const fresh = await open({ version: 2 })
    calls.push(...Array.from({ length: 50 }, () => increment(fresh, 'a', 1)))
    await Promise.all(calls)
    expect(disk.values.get('a')).toBe(100)
  })
})

describe('a page that is put away', () => {
  it('leaves, and joins again when it comes back', async () => {
    const { open, tab } = await browser()
    const first = await open()
    const second = await open()
    const seen = watch(first, 'a')
    await eventually(() => expect(seen).toEqual(counts(0)))
    tab(first).page.hidden()
    await increment(second, 'a', 1)
    expect(second.tabs()).toEqual({ role: 'leader', others: 0, outdated: false })
    tab(first).page.shown()
    await eventually(() => expect(seen).toEqual(counts(0, 1)))
    expect(first.tabs()).toEqual({ role: 'follower', others: 1, outdated: false })
    await increment(first, 'a', 1)
    expect(seen).toEqual(counts(0, 1, 2))
  })

  it('refuses requests after it was closed', async () => {
    const { open } = await browser()
    const first = await open()
    await first.close()
    await first.close()
    await expect(increment(first, 'a', 1)).rejects.toMatchObject({ code: 'closed' })
    expect(() => first.watchEntity('shelf', 'a', () => {})).toThrow('closed')
  })
})

/** Tabs come, work and die at random; each keeps what it was acknowledged and what it was shown. */
async function campaign(seed: number): Promise<void> {
  const random = seededRandom(seed)
  const below = (count: number): number => random.bytes(1)[0]! % count
  const { open, disk, tab } = await browser()
  const live: { readonly backend: TabBackend; readonly seen: number[] }[] = []
  const working: Promise<void>[] = []
  let acknowledged = 0
  let unknown = 0
  disk.latency = () => below(3)
  const enter = async (): Promise<void> => {
    const backend = await open()
    live.push({ backend, seen: watch(backend, 'a') })
  }
  await enter()
  for (let step = 0; step < 60; step++) {
    if (live.length < 2 || (live.length < 5 && below(5) === 0)) await enter()
    const { backend, seen } = live[below(live.length)]!
    if (below(10) === 0) {
      live.splice(live.indexOf(live.find((each) => each.backend === backend)!), 1)
      if (below(2) === 0) await backend.close()
      else tab(backend).kill()
      expectRising(seen)
    } else {
      unknown += 1
      working.push(
        increment(backend, 'a', 1).then(() => {
          acknowledged += 1
          unknown -= 1
        }),
      )
    }
    if (below(3) === 0) await new Promise((resolve) => setTimeout(resolve, below(4)))
  }
  const survivors = live.map(({ backend }) => increment(backend, 'a', 1))
  await Promise.all(survivors)
  await eventually(() => {
    for (const { seen } of live) expect(seen.at(-1)).toBe(disk.values.get('a'))
  })
  for (const { seen } of live) expectRising(seen)
  const total = disk.values.get('a')! - survivors.length
  expect(total).toBeGreaterThanOrEqual(acknowledged)
  expect(total).toBeLessThanOrEqual(acknowledged + unknown)
  expect(disk.mostOpened).toBe(1)
  for (const { backend } of live) tab(backend).kill()
}

const expectRising = (seen: readonly number[]): void => {
  expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b))
}

/** Waits for it; the machine may be busy. */
const eventually = (check: () => void): Promise<void> => vi.waitFor(check, 10_000)

const anyText: unknown = expect.stringMatching(/./)

const stateOf = (entity: Loaded): number =>
  entity.phase === 'ready' ? (entity.state as number) : NaN

const counts = (...values: number[]): number[] => values

const increment = (backend: Backend, id: string, by: number): Promise<Outcome> =>
  backend.invoke([{ type: 'shelf', id, command: 'increment', input: by }], {})

function watch(backend: Backend, id: string): number[] {
  const seen: number[] = []
  backend.watchEntity('shelf', id, (entity) => seen.push(stateOf(entity)))
  return seen
}

const shown = (backend: Backend, id: string, value: number): Promise<number> =>
  new Promise((resolve) => {
    backend.watchEntity('shelf', id, (entity) => {
      if (stateOf(entity) === value) resolve(value)
    })
  })

let browsers = 0

interface OpenHow {
  readonly hearsAfterMs?: number
  readonly version?: number
}

/** A profile in which tabs open one space. */
async function browser(): Promise<{
  readonly name: string
  readonly disk: Disk
  readonly open: (how?: OpenHow) => Promise<TabBackend>
  readonly tab: (backend: TabBackend) => Tab
}> {
  const name = `space ${(browsers += 1)}`
  const disk = createDisk()
  const byBackend = new Map<TabBackend, Tab>()
  const open = async (how?: OpenHow): Promise<TabBackend> => {
    const tab = createTab()
    const { channel } = tab.env
    const hearsAfterMs = how?.hearsAfterMs
    const env: Tab['env'] = hearsAfterMs
      ? {
          ...tab.env,
          channel: (line, receive) =>
            channel(line, (message) => setTimeout(() => receive(message), hearsAfterMs)),
        }
      : tab.env
    tabs.push(tab)
    const backend = await openInTabs(env, name, how?.version ?? 0, ({ online }) =>
      openShelf(disk, tab, online),
    )
    byBackend.set(backend, tab)
    return backend
  }
  return { name, disk, open, tab: (backend) => byBackend.get(backend)! }
}
