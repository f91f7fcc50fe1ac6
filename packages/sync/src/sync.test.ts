import { PeerplaneError, type SessionId } from '@peerplane/core'
import { beforeEach, describe, expect, it } from 'vitest'

import { timing } from './engine/types.ts'
import { createMembers, type Members, type TestDevice } from './testing/devices.fixture.test.ts'
import type { HeldSession } from './testing/memory-replica.fixture.test.ts'
import { ed25519 } from './testing/ed25519.fixture.test.ts'
import { createHub, type Hub } from './testing/hub.fixture.test.ts'
import { manualTime, type ManualTime } from './testing/manual-time.fixture.test.ts'

const { crypto: ed, busy } = ed25519(crypto.subtle)

async function rest() {
  do await new Promise((resolve) => setImmediate(resolve))
  while (busy())
}

let time: ManualTime
let hub: Hub
let members: Members

beforeEach(async () => {
  time = manualTime(rest)
  hub = createHub(time)
  members = await createMembers(hub, time, ed)
})

const devices = (...names: string[]): Promise<TestDevice[]> =>
  Promise.all(names.map((name) => members.device(name)))

/** Connects each device with the next one. */
async function chain(...line: TestDevice[]) {
  for (const [index, device] of line.entries()) {
    const next = line[index + 1]
    if (next) await hub.connect(device.name, next.name)
  }
}

async function mesh(all: TestDevice[]) {
  for (const [index, device] of all.entries()) {
    for (const other of all.slice(index + 1)) await hub.connect(device.name, other.name)
  }
}

async function write(device: TestDevice, batches: number, commits = 1) {
  for (let i = 0; i < batches; i++) await device.replica.write(commits)
}

const heldBy = (device: TestDevice) =>
  Object.fromEntries([...device.replica.delivered()].map(([id, tip]) => [id, tip.mark]))

const total = (device: TestDevice) =>
  [...device.replica.delivered().values()].reduce((sum, { seq }) => sum + seq, 0)

function expectEqual(all: TestDevice[], commits: number) {
  expect(all.map(total)).toEqual(all.map(() => commits))
  for (const device of all) expect(heldBy(device)).toEqual(heldBy(all[0]!))
}

const sentKinds = (since = 0) => hub.sent.slice(since).map(({ message }) => message?.kind)

describe('two devices', () => {
  it('catch up with each other when they meet', async () => {
    const [a, b] = (await devices('a', 'b')) as [TestDevice, TestDevice]
    await write(a, 40, 10)
    await write(b, 25, 2)
    await chain(a, b)
    await time.pass(500)
    expectEqual([a, b], 450)
    expect(a.sync.status().peers).toMatchObject([
      { device: b.id, peer: 'b', path: 'direct', pending: 0, behind: 0 },
    ])
  })

  it('send live batches without being asked, and each once', async () => {
    const [a, b] = (await devices('a', 'b')) as [TestDevice, TestDevice]
    await chain(a, b)
    await time.pass(100)
    for (let i = 0; i < 20; i++) {
      await write(a, 1)
      await write(b, 1)
      await time.pass(6)
      expect([total(a), total(b)]).toEqual([2 * i + 2, 2 * i + 2])
    }
    expect(sentKinds()).not.toContain('want')
    expect(a.replica.counts).toEqual({ admitted: 20, duplicates: 0 })
  })

  it('acknowledge many pushes at once', async () => {
    const [a, b] = (await devices('a', 'b')) as [TestDevice, TestDevice]
    await chain(a, b)
    await time.pass(100)
    await write(a, 50)
    await time.pass(500)
    expectEqual([a, b], 50)
    expect(sentKinds().filter((kind) => kind === 'have').length).toBeLessThan(6)
    expect(a.sync.status().peers[0]).toMatchObject({ pending: 0, behind: 0 })
  })

  it('find the 30 commits of each that were written while they were apart', async () => {
    const [a, b] = (await devices('a', 'b')) as [TestDevice, TestDevice]
    await chain(a, b)
    for (let i = 0; i < 30; i++) {
      if (i === 10) hub.disconnect('a', 'b')
      await write(a, 1)
      await write(b, 1)
      if (i === 20) await chain(a, b)
      await time.pass(3)
    }
    await time.pass(300)
    expectEqual([a, b], 60)
    expect(a.replica.counts.duplicates + b.replica.counts.duplicates).toBeLessThan(15)
  })

  it('say what is pending while they are apart from what they had', async () => {
    const [a, b] = (await devices('a', 'b')) as [TestDevice, TestDevice]
    hub.loses = ({ message }) => message?.kind === 'runs'
    await write(a, 7)
    await chain(a, b)
    await time.pass(200)
    expect(a.sync.status().peers[0]).toMatchObject({ pending: 7, behind: 0 })
    expect(b.sync.status().peers[0]).toMatchObject({ pending: 0, behind: 7 })
  })

  it('give a device back what it had before its store was restored from an old copy', async () => {
    const [a, b] = (await devices('a', 'b')) as [TestDevice, TestDevice]
    await write(b, 8)
    const old = b.replica.copy()
    await write(b, 4)
    await chain(a, b)
    await time.pass(300)
    await b.sync.stop()
    const restored = await members.device('b', { held: old, peer: 'b2' })
    await write(restored, 3)
    await chain(a, restored)
    await write(a, 1)
    await time.pass(500)
    // 12 of the first session with its lost tail, 3 of the second, 1 of a.
    expectEqual([a, restored], 16)
  })

  it('go on where they were after one has been offline', async () => {
    const [a, b] = (await devices('a', 'b')) as [TestDevice, TestDevice]
    await chain(a, b)
    await write(a, 3)
    await time.pass(200)
    await b.sync.stop()
    expect(b.sync.status()).toMatchObject({ peers: [], network: { started: false } })
    await write(a, 3)
    await write(b, 2)
    await time.pass(30_000)
    await b.sync.start()
    await chain(a, b)
    await time.pass(200)
    expectEqual([a, b], 8)
  })
})

describe('several devices', () => {
  it('pass on through the one in the middle', async () => {
    const line = await devices('a', 'b', 'c')
    await chain(...line)
    await write(line[0]!, 5, 3)
    await time.pass(200)
    await write(line[2]!, 2)
    await time.pass(200)
    expectEqual(line, 17)
  })

  it('pass causes on before effects', async () => {
    const [a, b, c] = (await devices('a', 'b', 'c')) as [TestDevice, TestDevice, TestDevice]
    await chain(a, b)
    await write(a, 300)
    await time.pass(200)
    await write(b, 300)
    await time.pass(200)
    let waited = 0
    c.replica.watch(() => {
      const stored = [...c.replica.stored().values()].reduce((sum, { seq }) => sum + seq, 0)
      waited = Math.max(waited, stored - total(c))
    })
    await chain(b, c)
    await time.pass(1_000)
    expectEqual([a, b, c], 600)
    expect(waited).toBe(0)
  })

  it('converge in a mesh of five that all write', async () => {
    const all = await devices('a', 'b', 'c', 'd', 'e')
    await mesh(all)
    for (let i = 0; i < 10; i++) {
      for (const device of all) await write(device, 1)
      await time.pass(20)
    }
    await time.pass(1_000)
    expectEqual(all, 50)
    const again = all.reduce((sum, { replica }) => sum + replica.counts.duplicates, 0)
    expect(again).toBe(0)
  })

  it('converge in a ring that breaks and closes', async () => {
    const all = await devices('a', 'b', 'c', 'd', 'e')
    await chain(...all, all[0]!)
    for (let i = 0; i < 12; i++) {
      for (const device of all) await write(device, 1)
      if (i === 3) hub.disconnect('a', 'b')
      if (i === 6) hub.disconnect('c', 'd')
      if (i === 9) await chain(all[2]!, all[3]!)
      await time.pass(7)
    }
    await time.pass(1_000)
    expectEqual(all, 60)
  })

  it('a device asks another peer if the first peer does not send what it has announced', async () => {
    const [a, b, c] = (await devices('a', 'b', 'c')) as [TestDevice, TestDevice, TestDevice]
    await chain(a, b)
    await write(a, 6)
    await time.pass(200)
    await a.sync.stop()
    const d = await members.device('d')
    await chain(b, d)
    await time.pass(200)
    hub.loses = ({ from, message }) => from === 'b' && message?.kind === 'runs'
    await chain(b, c, d)
    await time.pass(4_000)
    expect(total(c)).toBe(0)
    await time.pass(2_000)
    expectEqual([b, c, d], 6)
  })

  it('find by the summary that follows a change what a lost message told', async () => {
    const [a, b, c] = (await devices('a', 'b', 'c')) as [TestDevice, TestDevice, TestDevice]
    await chain(a, b, c)
    await time.pass(100)
    hub.gossips = false
    hub.loses = ({ to, message }) => to === 'c' && message?.kind === 'have'
    await write(a, 3)
    await time.pass(400)
    expect(total(c)).toBe(0)
    hub.loses = () => false
    // The device with the larger digest waits for the other one to search first. The periodic summaries come much later.
    await time.pass(timing.reply + 500)
    expectEqual([a, b, c], 3)
  })

  it('find by the periodic summary what lost messages told', async () => {
    const [a, b, c] = (await devices('a', 'b', 'c')) as [TestDevice, TestDevice, TestDevice]
    await chain(a, b, c)
    await time.pass(100)
    hub.gossips = false
    hub.loses = ({ to }) => to === 'c'
    await write(a, 3)
    await time.pass(1_000)
    expect(total(c)).toBe(0)
    hub.loses = () => false
    await time.pass(13_000)
    expectEqual([a, b, c], 3)
  })

  it('find by gossip what nobody has sent over a link', async () => {
    const [a, b, c] = (await devices('a', 'b', 'c')) as [TestDevice, TestDevice, TestDevice]
    await chain(a, b, c)
    await time.pass(100)
    hub.loses = ({ to }) => to === 'c'
    await write(a, 3)
    await time.pass(250)
    expect(total(c)).toBe(0)
    hub.loses = () => false
    await time.pass(200)
    expectEqual([a, b, c], 3)
  })

  it('are introduced to each other by an anchor', async () => {
    const anchor = await members.device('d', { anchor: true })
    const [b, c] = (await devices('b', 'c')) as [TestDevice, TestDevice]
    await chain(b, anchor, c)
    await time.pass(500)
    expect(hub.introduced).toContainEqual({ to: 'b', via: 'd', peer: 'c' })
    expect(hub.introduced).toContainEqual({ to: 'c', via: 'd', peer: 'b' })
  })
})

describe('after convergence', () => {
  it('nothing is said but the periodic summary', async () => {
    const all = await devices('a', 'b', 'c', 'd')
    await mesh(all)
    for (const device of all) await write(device, 5)
    await time.pass(20_000)
    expectEqual(all, 20)
    const before = hub.sent.length
    const announcedBefore = hub.announced.length
    await time.pass(100_000)
    const kinds = sentKinds(before)
    expect(new Set(kinds)).toEqual(new Set(['summary']))
    // 12 directed links, one summary in 7.5 to 12.5 seconds.
    expect(kinds.length).toBeGreaterThanOrEqual(96)
    expect(kinds.length).toBeLessThanOrEqual(168)
    expect(hub.announced.length - announcedBefore).toBeLessThanOrEqual(4 * 14)
  })
})

describe('trouble', () => {
  it('with the store is tried again after a pause', async () => {
    const [a, b] = (await devices('a', 'b')) as [TestDevice, TestDevice]
    await write(a, 5)
    b.replica.refuse = new PeerplaneError('store-full', 'no room')
    await chain(a, b)
    await time.pass(3_000)
    expect(b.sync.status().lastError).toMatchObject({ code: 'store-full' })
    expect(
      hub.sent.filter(({ from, message }) => from === 'b' && message?.kind === 'want'),
    ).toHaveLength(1)
    b.replica.refuse = undefined
    await time.pass(4_000)
    expectEqual([a, b], 5)
  })

  it('of overload is tried again soon', async () => {
    const [a, b] = (await devices('a', 'b')) as [TestDevice, TestDevice]
    await write(a, 5)
    b.replica.refuse = new PeerplaneError('overloaded', 'too much')
    await chain(a, b)
    await time.pass(500)
    b.replica.refuse = undefined
    await time.pass(1_000)
    expectEqual([a, b], 5)
    expect(b.sync.status().lastError).toBeUndefined()
  })

  it('of a forged run is about one session, and another peer may have the real one', async () => {
    const [a, b, c] = (await devices('a', 'b', 'c')) as [TestDevice, TestDevice, TestDevice]
    await write(a, 5)
    await chain(a, c)
    await time.pass(500)
    b.replica.refuse = new PeerplaneError('bad-signature', 'forged')
    await chain(a, b)
    await time.pass(500)
    expect(b.sync.status()).toMatchObject({
      peers: [{ behind: 0 }],
      lastError: { code: 'bad-signature' },
    })
    b.replica.refuse = undefined
    await chain(b, c)
    await time.pass(500)
    expectEqual([a, b, c], 5)
    expect(b.sync.status().lastError).toBeUndefined()
  })

  it('a fork stops one session, and all others continue', async () => {
    const [a, b, c] = (await devices('a', 'b', 'c')) as [TestDevice, TestDevice, TestDevice]
    await write(a, 2)
    const [[session, held]] = [...a.replica.copy()] as [[SessionId, HeldSession]]
    await write(a, 1)
    await chain(a, b, c)
    await time.pass(200)
    // A copy of the device goes on in the same session: what sessions exist to prevent.
    const twin = { held: new Map([[session, held]]), resumed: session, peer: 'twin' }
    const copy = await members.device('a', twin)
    await write(copy, 1)
    await chain(copy, b)
    await time.pass(500)
    const all = [a, b, c, copy]
    for (const { replica } of all) {
      expect(replica.stored().get(session)!.seq).toBe(Number.MAX_SAFE_INTEGER - 3)
    }
    const before = hub.sent.length
    await write(copy, 1)
    await write(a, 4)
    await write(b, 1)
    await time.pass(30_000)
    for (const device of all) expect(heldBy(device)).toEqual(heldBy(b))
    expect(b.sync.status()).toMatchObject({
      peers: [
        { behind: 0, pending: 0 },
        { behind: 0, pending: 0 },
        { behind: 0, pending: 0 },
      ],
      lastError: undefined,
    })
    const wants = hub.sent.slice(before).flatMap(({ message }) => {
      return message?.kind === 'want' ? message.ranges.map((range) => range.session) : []
    })
    expect(wants).not.toContain(session)
  })

  it('a device that forks session after session is refused links, and its other sessions come from other peers', async () => {
    const [a, b, c, d] = (await devices('a', 'b', 'c', 'd')) as [
      TestDevice,
      TestDevice,
      TestDevice,
      TestDevice,
    ]
    await chain(a, b, c)
    for (let fork = 1; fork <= 3; fork++) {
      a.replica.restart()
      await write(a, 1)
      const [session, held] = [...a.replica.copy()].at(-1)!
      await write(a, 1)
      await time.pass(500)
      const twin = { held: new Map([[session, held]]), resumed: session, peer: `twin ${fork}` }
      const copy = await members.device('a', twin)
      await write(copy, 1)
      await chain(copy, c)
      await time.pass(500)
    }
    const frozen = [...b.replica.stored().values()].filter(({ seq }) => seq > 2 ** 52)
    expect(frozen).toHaveLength(3)
    const devicesAt = ({ sync }: TestDevice) => sync.status().peers.map(({ device }) => device)
    expect(devicesAt(b)).toEqual([c.id])
    expect(devicesAt(c)).toEqual([b.id])

    a.replica.restart()
    await write(a, 3)
    const [other] = [...a.replica.copy().keys()].toReversed()
    await chain(a, b)
    await time.pass(1_000)
    expect(devicesAt(b)).toEqual([c.id])
    expect(b.replica.stored().has(other!)).toBe(false)
    await chain(a, d)
    await time.pass(1_000)
    await chain(d, b)
    await time.pass(5_000)
    for (const device of [b, c, d]) {
      expect(heldBy(device)).toEqual(heldBy(b))
      expect(device.replica.stored().get(other!)).toMatchObject({ seq: 3 })
    }
    expect(devicesAt(d)).toEqual([b.id])

    await time.pass(60_000)
    await write(a, 1)
    await chain(a, b)
    await time.pass(1_000)
    for (const device of [b, c, d]) expect(heldBy(device)).toEqual(heldBy(a))
  })

  it('of a stranger is reported', async () => {
    const [a] = (await devices('a')) as [TestDevice]
    const elsewhere = await createMembers(hub, manualTime(rest), {
      ...ed,
      keyFromSeed: (seed) => ed.keyFromSeed(seed.map((byte) => byte ^ 1)),
    })
    const x = await elsewhere.device('x')
    await chain(a, x)
    expect(a.sync.status()).toMatchObject({ peers: [], lastError: { code: 'handshake-failed' } })
    await chain(a, ...(await devices('b')))
    expect(a.sync.status().lastError).toBeUndefined()
  })
})

describe('who has been seen', () => {
  it('are peers, authors, and the devices that vouch for them', async () => {
    const line = await devices('a', 'b', 'c', 'd')
    const [a, b, c, d] = line as [TestDevice, TestDevice, TestDevice, TestDevice]
    await write(a, 1)
    await write(c, 1)
    await chain(b, c)
    await time.pass(200)
    expect([...b.known].sort()).toEqual([c.id].sort())
    await chain(a, b)
    await time.pass(200)
    expect([...b.known].sort()).toEqual([a.id, c.id].sort())
    // It has not met the author of what it took in.
    expect([...a.known].sort()).toEqual([b.id, c.id].sort())
    expect([...d.known]).toEqual([])
  })

  it('keep out those whose opening came with a session that is held', async () => {
    const [a, b] = (await devices('a', 'b')) as [TestDevice, TestDevice]
    await write(a, 1)
    await chain(a, b)
    await time.pass(200)
    const [session] = [...a.replica.stored().keys()] as [SessionId]
    const run = (await a.replica.range(session, 1, 1))!
    const stranger = await members.device('stranger')
    await write(stranger, 1)
    const [other] = [...stranger.replica.stored().keys()] as [SessionId]
    const { opening } = (await stranger.replica.range(other, 1, 1))!
    hub.send('a', 'b', { kind: 'runs', runs: [{ ...run, opening }] })
    await time.pass(200)
    expect([...b.known]).toEqual([a.id])
  })
})

describe('sessions', () => {
  it('new sessions that a peer pushes without end are accepted slowly, and requested sessions are accepted immediately', async () => {
    const sessionRate = { perSecond: 2, burst: 10 }
    const [a] = (await devices('a')) as [TestDevice]
    const b = await members.device('b', { sessionRate })
    const begin = async (): Promise<void> => {
      for (let n = 0; n < 30; n++) {
        a.replica.restart()
        await write(a, 1)
      }
    }
    await begin()
    await chain(a, b)
    await time.pass(1_000)
    expectEqual([a, b], 30)
    await begin()
    await time.pass(50)
    expect(total(b)).toBeLessThan(45)
    await time.pass(20_000)
    expectEqual([a, b], 60)
  })
})

describe('a difference between many sessions', () => {
  it.each([0, 150, 299])(
    'is found without comparing a subtree twice, on either side: session %i',
    async (missing) => {
      const all = new Map<SessionId, HeldSession>()
      for (let n = 0; n < 300; n++) {
        const { replica, sync } = await members.device('a', { peer: `a${n}` })
        await replica.write()
        for (const [session, held] of replica.copy()) all.set(session, held)
        await sync.stop()
      }
      const lacking = new Map([...all].filter((_, index) => index !== missing))
      for (const [left, right] of [
        [all, lacking],
        [lacking, all],
      ] as const) {
        const peers = [`left ${hub.sent.length}`, `right ${hub.sent.length}`] as const
        const a = await members.device('b', { held: left, peer: peers[0] })
        const b = await members.device('c', { held: right, peer: peers[1] })
        const since = hub.sent.length
        await hub.connect(...peers)
        await time.pass(400)
        expectEqual([a, b], 300)
        const sent = hub.sent.slice(since).map(({ message }) => message)
        const parents = sent.flatMap((message) =>
          message?.kind === 'summary' && message.nodes.length > 1
            ? [...new Set(message.nodes.map(({ path }) => path.slice(0, -1)))]
            : [],
        )
        expect(parents).toContain('')
        expect(new Set(parents).size).toBe(parents.length)
        await a.sync.stop()
        await b.sync.stop()
      }
    },
  )
})

describe('status', () => {
  it('is said to have changed until nobody wants to know', async () => {
    const [a, b] = (await devices('a', 'b')) as [TestDevice, TestDevice]
    const behind: (number | undefined)[] = []
    const end = b.sync.onChange(() => behind.push(b.sync.status().peers[0]?.behind))
    await chain(a, b)
    await write(a, 30)
    await time.pass(1_000)
    expect(behind.at(-1)).toBe(0)
    end()
    const calls = behind.length
    await write(a, 1)
    await time.pass(1_000)
    expect(behind.length).toBe(calls)
  })
})
