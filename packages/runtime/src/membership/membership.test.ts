import {
  admit,
  createSpace,
  decodeSpaceRecord,
  encodeCanonical,
  decodeCanonical,
  signGrant,
  toHex,
  type DeviceId,
  type Extensions,
  type Value,
} from '@peerplane/core'
import { deterministicCrypto as crypto, seededRandom } from '@peerplane/core/testing'
import { createMemoryStore } from '@peerplane/crdt-store'
import { expect, test } from 'vitest'

import { systemClock, systemScheduler } from '../index.ts'
import { foundingWrites, loadKnownDevices, openMembership } from './membership.ts'

test('devices stay known over restarts', async () => {
  const store = createMemoryStore()
  const [one, other] = ['01', '02'].map((byte) => byte.repeat(32)) as [DeviceId, DeviceId]
  const known = await loadKnownDevices({ store })
  expect(known.has(one)).toBe(false)
  const stored = known.add([one])
  expect(known.has(one)).toBe(true)
  await stored
  const again = await loadKnownDevices({ store })
  expect([again.has(one), again.has(other)]).toEqual([true, false])
})

test.each([
  ['space', 1, 'opens'],
  ['space', 2, 'needs-update'],
  ['grant', 1, 'opens'],
  ['grant', 2, 'needs-update'],
  ['admission', 1, 'opens'],
  ['admission', 2, 'needs-update'],
] as const)('a device whose %s has the unknown key %i: %s', async (of, key, expected) => {
  const random = seededRandom(3)
  const creator = await crypto.keyFromSeed(random.bytes(32))
  const own = await crypto.keyFromSeed(random.bytes(32))
  const inviteKey = await crypto.keyFromSeed(random.bytes(32))
  const device = toHex(own.publicKey) as DeviceId
  const keys: Extensions = [[key, 'news']]
  const plain = createSpace(toHex(creator.publicKey) as DeviceId, 'member', random)
  const fields = decodeCanonical(plain.record.bytes) as Value[]
  const record = of === 'space' ? encodeCanonical([...fields, keys.flat()]) : plain.record.bytes
  const space = { ...plain, record: decodeSpaceRecord(record) }
  const granted = {
    space: space.record.id,
    inviteKey: inviteKey.publicKey,
    role: 'member' as const,
    notAfter: 9,
    ...(of === 'grant' ? { extensions: keys } : {}),
  }
  const grant = await signGrant(granted, creator)
  const admission = await admit(grant, device, inviteKey, of === 'admission' ? keys : undefined)
  const store = createMemoryStore()
  const membership = { space, device, chain: [admission], addresses: [], shared: true }
  await store.write([...foundingWrites({}, membership)], 'synced')
  const ports = { store, key: own, crypto, random, clock: systemClock, scheduler: systemScheduler }
  const opened = openMembership(ports, {}).then(
    () => 'opens',
    ({ code }: { code: string }) => code,
  )
  expect(await opened).toBe(expected)
})
