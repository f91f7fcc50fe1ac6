import { deviceContract } from '@peerplane/core/testing'
import type { DeviceFixture, DevicePlane } from '@peerplane/core/testing'
import { openDB } from 'idb'
import { expect, it } from 'vitest'

import { counter, entity, open, record, type PlaneStatus } from './index.ts'

const Tally = entity('tally', {
  state: record({ votes: counter() }),
  commands: { vote: (tally) => tally.votes.increment() },
})

let spaces = 0
const newSpace = (): string => `device ${(spaces += 1)} ${performance.now()}`

async function openAt(space: string, invitation?: string): Promise<DevicePlane> {
  const plane = await open({ entities: [Tally], space, network: false, join: invitation })
  const tally = plane.get(Tally, 'lunch')
  return {
    vote: () => tally.vote(),
    votes: async () => (await tally.state()).votes,
    status: () => new Promise<PlaneStatus>((resolve) => plane.onStatus(resolve)),
    close: () => plane.close(),
  }
}

async function inviteFrom(space = newSpace()): Promise<string> {
  const host = await open({ entities: [], space, network: false })
  const invitation = await host.invite()
  await host.close()
  return invitation
}

/** Keys of the parts that are pairs of bytes, from and to. */
const ranges = { membership: [0x30, 0x31], log: [0x00, 0x30] } as const

async function makeFixture(): Promise<DeviceFixture & { readonly space: string }> {
  const space = newSpace()
  return {
    space,
    own: await inviteFrom(),
    other: await inviteFrom(),
    open: (invitation) => openAt(space, invitation),
    remove: async (part) => {
      const database = await openDB(`peerplane:${space}`)
      if (part === 'key') await database.delete('keys', 'device')
      else {
        const [from, to] = ranges[part].map((byte) => Uint8Array.of(byte))
        await database.delete('pairs', IDBKeyRange.bound(from, to, false, true))
      }
      database.close()
    },
  }
}

deviceContract('the browser', makeFixture)

it.each(['pairs', 'keys'])(
  'a database whose %s were cleared is never taken for a new one',
  async (name) => {
    const fixture = await makeFixture()
    const before = await fixture.open(fixture.own)
    await before.vote()
    const { space } = await before.status()
    await before.close()
    const database = await openDB(`peerplane:${fixture.space}`)
    await database.clear(name)
    database.close()
    for (let i = 0; i < 2; i++) {
      await expect(fixture.open()).rejects.toMatchObject({ code: 'storage-lost' })
    }
    const again = await fixture.open(fixture.own)
    expect(await again.status()).toMatchObject({ space, membership: 'joined' })
    expect(await again.votes()).toBe(name === 'keys' ? 1 : 0)
    await again.close()
  },
)

it('one database holds all of a device, its secret half is not to be read, and nothing is stored before it exists', async () => {
  const space = newSpace()
  const plane = await openAt(space)
  expect(await plane.votes()).toBe(0)
  const database = await openDB(`peerplane:${space}`)
  const held = [...database.objectStoreNames].map((name) => database.getAllKeys(name))
  // Only which opening of the database this is.
  expect((await Promise.all(held)).flat()).toEqual(['term'])
  await plane.vote()
  const pair = (await database.get('keys', 'device')) as CryptoKeyPair
  database.close()
  expect(pair.privateKey.extractable).toBe(false)
  await expect(crypto.subtle.exportKey('pkcs8', pair.privateKey)).rejects.toMatchObject({
    name: 'InvalidAccessError',
  })
  await plane.close()
  const names = (await indexedDB.databases()).filter(({ name }) => name?.includes(space))
  expect(names).toHaveLength(1)
})
