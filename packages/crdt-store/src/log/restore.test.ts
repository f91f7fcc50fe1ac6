import { encodeCanonical, fromHex } from '@peerplane/core'
import { describe, expect, test } from 'vitest'

import { batchKey, metaKey, openingKey, reaches, tipKey, tips } from '../storage/keys.ts'
import { createMemoryStore } from '../storage/memory-store.ts'
import { contents, members, openPeer, write, writeMany } from './peer.fixture.test.ts'

const one = await members(1)
const written = await openPeer(one, 0)
await writeMany(written, ['a', 'b'])
await write(written, 'c')
await written.log.close()
const { session } = written.log.stored().values().next().value!

const copy = () => createMemoryStore(written.store.entries())

describe('a store', () => {
  test('of another space is refused', async () => {
    const other = await members(1, 2)
    await expect(openPeer(other, 0, { store: copy() })).rejects.toMatchObject({
      code: 'wrong-space',
    })
  })

  test('of a newer version is refused', async () => {
    const store = copy()
    const meta = encodeCanonical([99, fromHex(one.space.record.id), 'something new'])
    await store.write([{ key: metaKey, value: meta }], 'local')
    await expect(openPeer(one, 0, { store })).rejects.toMatchObject({ code: 'store-version' })
  })

  test('with an unreadable record is refused as corrupt', async () => {
    const key = tipKey(session)
    for (const value of [undefined, new Uint8Array(3), encodeCanonical([1])]) {
      const store = copy()
      await store.write([{ key, value }], 'local')
      await expect(openPeer(one, 0, { store })).rejects.toMatchObject({ code: 'store-corrupt' })
    }
  })

  test('without the opening of a session is refused as corrupt', async () => {
    const store = copy()
    await store.write([{ key: openingKey(session), value: undefined }], 'local')
    await expect(openPeer(one, 0, { store })).rejects.toMatchObject({ code: 'store-corrupt' })
  })

  test('with a damaged or missing batch that still waits is refused as corrupt', async () => {
    for (const value of [undefined, new Uint8Array(60)]) {
      const store = copy()
      const [reach] = await store.scan(reaches)
      await store.write(
        [
          { key: reach!.key, value: undefined },
          { key: batchKey(session, 1), value },
        ],
        'local',
      )
      await expect(openPeer(one, 0, { store })).rejects.toMatchObject({ code: 'store-corrupt' })
    }
  })

  test('without the records of what was delivered delivers again', async () => {
    const store = copy()
    for (const { key } of await store.scan(reaches)) {
      await store.write([{ key, value: undefined }], 'local')
    }
    const peer = await openPeer(one, 0, { store, seed: 1 })
    expect(contents(peer)).toEqual(['a', 'b', 'c'])
    expect(peer.log.delivered()).toEqual(written.log.delivered())
  })

  test('reads a few records per session and no batch', async () => {
    const read: number[] = []
    await openPeer(one, 0, {
      store: copy(),
      through: (store) => ({
        ...store,
        scan: async (range) => {
          read.push(range.from[0]!)
          return store.scan(range)
        },
      }),
    }).then(({ log }) => log.close())
    const beforeReplay = read.slice(0, 5)
    const admission = 0x06
    expect(beforeReplay).toEqual([tips.from[0], reaches.from[0], admission, 0x02, 0x07])
  })
})
