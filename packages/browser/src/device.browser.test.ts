import { toHex } from '@peerplane/core'
import { deviceContract } from '@peerplane/core/testing'
import type { DeviceFixture, DevicePlane, StoredRecords } from '@peerplane/core/testing'
import { deleteDB, openDB } from 'idb'
import { expect, it } from 'vitest'

import { counter, entity, eraseSpace, open, record, spaces, type PlaneStatus } from './index.ts'

const Tally = entity('tally', {
  state: record({ votes: counter() }),
  commands: { vote: (tally) => tally.votes.increment() },
})

let names = 0
const newSpace = (): string => `device ${(names += 1)} ${performance.now()}`

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
    records: () => recordsOf(`peerplane:${space}`),
  }
}

async function recordsOf(name: string): Promise<StoredRecords> {
  const database = await openDB(name)
  const places = [...database.objectStoreNames]
  const found = await Promise.all(
    places.map(async (place) => {
      const [keys, values] = await Promise.all([database.getAllKeys(place), database.getAll(place)])
      return keys.map((key, i) => ({
        place,
        key,
        value: values[i] as unknown,
        name: nameOf(place, key),
      }))
    }),
  )
  database.close()
  const records = found.flat()
  return {
    names: records.map((each) => each.name),
    restoreWithout: async (missing) => {
      const restored = await openDB(name)
      for (const place of places) await restored.clear(place)
      for (const { place, key, value, name: its } of records) {
        if (its !== missing) await restored.put(place, value, key)
      }
      restored.close()
    },
  }
}

const nameOf = (place: string, key: IDBValidKey): string =>
  `${place} ${key instanceof ArrayBuffer ? toHex(new Uint8Array(key)) : JSON.stringify(key)}`

deviceContract('the browser', makeFixture)

/** Ways in which an object store of the database goes away. */
const damages: Record<string, (name: string, place: string) => Promise<void>> = {
  cleared: async (name, place) => {
    const database = await openDB(name)
    await database.clear(place)
    database.close()
  },
  gone: async (name, place) => {
    const database = await openDB(name)
    const places = [...database.objectStoreNames].filter((each) => each !== place)
    const contents = await Promise.all(
      places.map(async (each) => ({
        each,
        keys: await database.getAllKeys(each),
        values: await database.getAll(each),
      })),
    )
    database.close()
    await deleteDB(name)
    const rest = await openDB(name, 1, {
      upgrade: (made) => places.forEach((each) => made.createObjectStore(each)),
    })
    for (const { each, keys, values } of contents) {
      await Promise.all(keys.map((key, i) => rest.put(each, values[i], key)))
    }
    rest.close()
  },
}

const table = ['pairs', 'keys'].flatMap((place) => [
  [place, 'cleared'] as const,
  [place, 'gone'] as const,
])

it.each(table)(
  'a database without one of its object stores opens only with an invitation: %s is %s',
  async (place, way) => {
    const fixture = await makeFixture()
    const before = await fixture.open(fixture.own)
    await before.vote()
    const { space } = await before.status()
    await before.close()
    const name = `peerplane:${fixture.space}`
    await damages[way]!(name, place)
    const code = way === 'cleared' ? 'storage-lost' : 'store-corrupt'
    for (let i = 0; i < 2; i++) await expect(fixture.open()).rejects.toMatchObject({ code })
    expect(await spaces()).toContainEqual(
      expect.objectContaining({
        name: fixture.space,
        problem: expect.objectContaining({ code }) as unknown,
      }),
    )
    // What is left goes on with an invitation; what is no database of ours is erased first.
    if (way === 'gone') await eraseSpace(fixture.space)
    const again = await fixture.open(fixture.own)
    expect(await again.status()).toMatchObject({ space, membership: 'joined' })
    expect(await again.votes()).toBe(way === 'cleared' && place === 'keys' ? 1 : 0)
    await again.vote()
    await again.close()
  },
)

it('one database holds all of a device, its secret half is not to be read, and nothing is stored before it exists', async () => {
  const space = newSpace()
  const plane = await openAt(space)
  expect(await plane.votes()).toBe(0)
  const database = await openDB(`peerplane:${space}`)
  const held = [...database.objectStoreNames].map((name) => database.getAllKeys(name))
  // Only which opening of the database this is, and the key of the device.
  expect((await Promise.all(held)).flat()).toEqual(['device', 'term'])
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
