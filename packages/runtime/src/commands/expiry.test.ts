import { counter, entity, limits } from '@peerplane/core'
import { deterministicCrypto, seededRandom, VirtualTime } from '@peerplane/core/testing'
import { createMemoryStore } from '@peerplane/crdt-store'
import { describe, expect, test, vi } from 'vitest'

import { invite } from '../membership/membership.ts'
import { device, type Device } from '../space/device.fixture.test.ts'
import { startExpiry } from './expiry.ts'

const DAY = 86_400_000
const crypto = deterministicCrypto
const declared = [
  entity('count', { state: counter(), expiresAfterMs: DAY, commands: {} }),
  entity('tags', { state: counter(), commands: {} }),
]

interface Expiring extends Device {
  stop(): Promise<void> | void
  /** From now on, something speaks against the clock, or nothing. */
  doubt(is: boolean): void
  /** The ids of all counters. */
  ids(): Promise<readonly string[]>
}

async function open(time: VirtualTime, seed: number, host?: Device): Promise<Expiring> {
  const random = seededRandom(seed)
  const { clock, scheduler } = time
  const as = { crypto, clock, random, scheduler, key: await crypto.keyFromSeed(random.bytes(32)) }
  const invitation =
    host && (await invite(host.ports, host.membership, { hours: 1, role: 'member', addresses: [] }))
  const opened = await device(createMemoryStore(), invitation, as)
  const { space, run } = opened
  let isDoubtful = false
  const doubtsClock = (): boolean => isDoubtful
  const { stop } = startExpiry({ declared, space, clock, random, scheduler, doubtsClock, run })
  return {
    ...opened,
    stop,
    doubt: (is) => {
      isDoubtful = is
    },
    ids: async () => {
      await space.folded()
      return (await space.entities.list('count')).map(({ id }) => id)
    },
  }
}

/** Gives each of two devices what the other one has. */
async function exchange(one: Device, other: Device): Promise<void> {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    for (const session of from.space.log.delivered().keys()) {
      await to.space.log.admit((await from.space.log.range(session, 1, 1 << 20))!)
    }
    await to.space.folded()
  }
}

describe('entities that expire', () => {
  test('are deleted when nobody has changed them for the declared time, and not before', async () => {
    const time = new VirtualTime()
    const own = await open(time, 1)
    const many = Array.from({ length: 2 * limits.expiredPerCommit + 1 }, (_, i) => `many${i}`)
    for (const id of ['old', 'used', ...many]) await own.up(id, 1)
    await own.fill('kept', 'x', 1)
    for (let half = 0; half < 3; half++) {
      await time.pass(DAY / 2 - 60_000)
      expect((await own.ids()).includes('old')).toBe(half < 2)
      await own.up('used', 1)
    }
    expect(await own.ids()).toEqual(['used'])
    expect(await own.value('used')).toBe(4)
    expect(await own.value('old')).toBe(0)
    expect((await own.space.entities.list('tags')).length).toBe(1)
    // All that expired together are few commits.
    expect(own.space.log.status().commits).toBeLessThan(many.length + 6 + 5)
    await own.up('old', 5)
    expect(await own.value('old')).toBe(5)
    await time.pass(DAY)
    expect((await own.ids()).includes('old')).toBe(true)
    await time.pass(DAY / 4)
    expect(await own.ids()).toEqual([])
    await own.stop()
    await own.close()
  })

  test('stay whole on all devices if somebody has changed them, although another device has not seen that', async () => {
    const time = new VirtualTime()
    const ada = await open(time, 1)
    const bob = await open(time, 2, ada)
    await ada.up('shared', 1)
    await ada.up('gone', 1)
    await exchange(ada, bob)
    await time.pass(DAY - 3_600_000)
    await bob.up('shared', 10)
    await time.pass(6 * 3_600_000)
    expect(await ada.ids()).toEqual([])
    expect(await bob.ids()).toEqual(['shared'])
    await exchange(ada, bob)
    for (const each of [ada, bob]) {
      expect(await each.ids()).toEqual(['shared'])
      expect(await each.value('shared')).toBe(11)
    }
    await bob.up('gone', 3)
    await exchange(ada, bob)
    for (const each of [ada, bob]) {
      expect(await each.value('gone')).toBe(3)
      await each.stop()
      await each.close()
    }
  })

  test('that a device with a clock that is ahead deletes too early come back with the next change that it had not seen', async () => {
    const [time, ahead] = [new VirtualTime(), new VirtualTime()]
    const ada = await open(time, 1)
    const wrong = await open(ahead, 2, ada)
    await ada.up('x', 1)
    await exchange(ada, wrong)
    await ahead.pass(2 * DAY)
    expect(await wrong.ids()).toEqual([])
    await ada.up('x', 2)
    await exchange(ada, wrong)
    for (const each of [ada, wrong]) {
      expect(await each.value('x')).toBe(3)
      await each.stop()
      await each.close()
    }
  })

  test('do not expire while something speaks against the clock', async () => {
    const time = new VirtualTime()
    const own = await open(time, 1)
    await own.up('x', 1)
    own.doubt(true)
    await time.pass(2 * DAY)
    expect(await own.ids()).toEqual(['x'])
    own.doubt(false)
    await time.pass(DAY / 5)
    expect(await own.ids()).toEqual([])
    await own.stop()
    await own.close()
  })

  test('are all deleted at one look, but not one that was just changed, and nobody looks after the end', async () => {
    const time = new VirtualTime()
    const own = await open(time, 1)
    await own.stop()
    const { space } = own
    let runs = 0
    const looks: (() => void)[] = []
    const expiry = startExpiry({
      declared,
      space,
      clock: time.clock,
      random: seededRandom(3),
      scheduler: { after: (_, task) => (looks.push(task), () => looks.splice(0)) },
      doubtsClock: () => false,
      run: (invocations) => {
        runs++
        return own.run(invocations)
      },
    })
    const look = async (): Promise<void> => {
      looks.shift()!()
      await vi.waitFor(() => expect(looks.length).toBe(1))
    }
    const many = Array.from({ length: 2 * limits.expiredPerCommit + 1 }, (_, i) => `many${i}`)
    for (const id of ['used', ...many]) await own.up(id, 1)
    await space.entities.flush()
    await look()
    // Rows tell that none is old.
    expect(runs).toBe(0)
    await time.pass(2 * DAY)
    await own.up('used', 1)
    await look()
    expect([await own.ids(), runs]).toEqual([['used'], 3])
    await time.pass(2 * DAY)
    looks.shift()!()
    await expiry.stop()
    expect([looks.length, await own.ids()]).toEqual([0, ['used']])
    await own.close()
  })
})
