import { entityKey, type SessionId } from '@peerplane/core'
import { createMemoryStore } from '@peerplane/crdt-store'
import { expect, test } from 'vitest'

import { systemRandom, webCrypto } from '../index.ts'
import { invite } from '../membership/membership.ts'
import { device, pass, type Device } from '../space/device.fixture.test.ts'

test('a command on a document with many concurrent changes merges them in commits of their own', async () => {
  const crypto = webCrypto()
  const key = await crypto.keyFromSeed(systemRandom.bytes(32))
  const store = createMemoryStore()
  const ada = await device(store, undefined, { key })
  const { ports, membership } = ada
  const invitation = await invite(ports, membership, { hours: 1, role: 'member', addresses: [] })
  const bob = await device(createMemoryStore(), invitation)
  // Copies of the device write without knowing of each other.
  const entries = store.entries()
  for (let number = 0; number < 150; number++) {
    const copy = await device(createMemoryStore(entries), undefined, { key })
    await copy.enter('x', `${number} `)
    await pass(copy, bob)
    await copy.close()
  }
  await bob.space.folded()
  expect(await textOf(bob)).toHaveLength(40 + 3 * 60 + 4 * 50 + 70)
  await bob.enter('x', 'all of it')
  const own = [...bob.space.log.delivered().values()].filter(({ session }) => isOf(bob, session))
  // Two merges of dependencies, two merges of the document, and the command.
  expect(own.map(({ seq }) => seq)).toEqual([5])
  expect(await textOf(bob)).toBe('all of it')
  for (let runs = 0; runs < 5; runs++) await pass(bob, ada)
  await ada.space.folded()
  expect(await textOf(ada)).toBe('all of it')
  await bob.close()
  await ada.close()
})

const isOf = ({ space, membership }: Device, session: SessionId): boolean =>
  space.log.deviceOf(session) === membership.device

async function textOf({ space }: Device): Promise<string> {
  const { mirror } = await space.entities.open(entityKey('note', 'x'))
  return (mirror as { text: string }).text
}
