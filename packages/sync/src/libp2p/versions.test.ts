import { setTimeout as pause } from 'node:timers/promises'

import {
  admit,
  createSpace,
  encodeCanonical,
  hash,
  signGrant,
  toHex,
  type Admission,
  type DeviceId,
  type Protocol,
  type SigningKey,
} from '@peerplane/core'
import { tcp } from '@libp2p/tcp'
import { afterEach, expect, test, vi } from 'vitest'

import { createSync } from '../sync.ts'
import { ed25519 } from '../testing/ed25519.fixture.test.ts'
import { createMemoryReplica } from '../testing/memory-replica.fixture.test.ts'
import type { Sync } from '../types.ts'
import { createLibp2pNetwork } from './network.ts'

/* Whole devices of different versions, over real sockets. */

const { crypto: ed } = ed25519(crypto.subtle)
const random = { bytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)) }
const clock = { now: () => Date.now() }
const scheduler = {
  after: (delayMs: number, task: () => void): (() => void) => {
    const timer = setTimeout(task, delayMs)
    return () => clearTimeout(timer)
  },
}

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(cleanups.splice(0).map(async (clean) => clean()))
})

const keyOf = (name: string): Promise<SigningKey> =>
  ed.keyFromSeed(hash('seed', encodeCanonical(name)))
const idOf = (key: SigningKey): DeviceId => toHex(key.publicKey) as DeviceId

const creator = await keyOf('creator')
const guest = await keyOf('guest')
const space = createSpace(idOf(creator), 'member', random)

async function admitted(): Promise<Admission> {
  const inviteKey = await ed.keyFromSeed(random.bytes(32))
  const fields = { space: space.record.id, inviteKey: inviteKey.publicKey, role: 'member' } as const
  const grant = await signGrant({ ...fields, notAfter: Date.now() + 3_600_000 }, creator)
  return admit(grant, idOf(guest), inviteKey)
}

async function start(
  key: SigningKey,
  protocol: Protocol,
  listen: readonly string[],
  dial: readonly string[],
): Promise<{ readonly sync: Sync; readonly addresses: readonly string[]; readonly peer: string }> {
  const ports = { clock, scheduler, random }
  const network = await createLibp2pNetwork({
    ...ports,
    anchor: false,
    topic: 'topic of a test',
    listen,
    announce: [],
    dial,
    transports: [tcp()],
    webrtc: false,
  })
  const chain = key === creator ? [] : [await admitted()]
  const device = { space, key, crypto: ed, clock, random }
  const sync = createSync({
    ...device,
    scheduler,
    network,
    protocol,
    chain,
    replica: createMemoryReplica({ ...device, chain: chain.map(({ bytes }) => bytes) }),
    isKnown: () => false,
    remember: () => {},
  })
  cleanups.push(() => sync.stop())
  await sync.start()
  return { sync, addresses: network.addresses(), peer: network.localPeer }
}

const loopback = ['/ip4/127.0.0.1/tcp/0']

test('if two devices speak different versions, both sides report it, and the peer is not dialled again at once', async () => {
  const old = await start(creator, { lowest: 1, highest: 1 }, loopback, [])
  const young = await start(guest, { lowest: 2, highest: 3 }, [], old.addresses)
  await vi.waitFor(
    () => {
      expect(old.sync.status().lastError).toEqual({
        code: 'needs-update',
        message: `the peer ${young.peer} speaks versions 2 to 3 of the protocol only, and this device version 1. Update this device.`,
      })
      expect(young.sync.status().lastError).toEqual({
        code: 'needs-update',
        message: `the peer ${old.peer} speaks version 1 of the protocol only, and this device versions 2 to 3. Update the peer.`,
      })
      expect(young.sync.status().network.lastError).toContain('Update the peer.')
    },
    { timeout: 10_000, interval: 20 },
  )
  // Those that are only turned away come back after a quarter, a half and one second.
  await pause(2_000)
  expect(old.sync.status().network.refused).toEqual({ stranger: 1 })
  expect(old.sync.status().peers).toEqual([])
})

test('devices with a version in common speak it', async () => {
  const old = await start(creator, { lowest: 1, highest: 1 }, loopback, [])
  const young = await start(
    guest,
    { lowest: 1, highest: 2, capabilities: [[1, 'x']] },
    [],
    old.addresses,
  )
  await vi.waitFor(
    () => {
      expect(old.sync.status().peers).toHaveLength(1)
      expect(young.sync.status().peers).toHaveLength(1)
    },
    { timeout: 10_000, interval: 20 },
  )
})
