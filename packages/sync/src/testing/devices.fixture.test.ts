import {
  admit,
  createSpace,
  encodeCanonical,
  hash,
  signGrant,
  toHex,
  type Admission,
  type Crypto,
  type DeviceId,
  type Random,
  type Role,
  type SessionId,
  type SigningKey,
  type Space,
} from '@peerplane/core'

import { createSync } from '../sync.ts'
import type { Sync, SyncOptions } from '../types.ts'
import type { Hub } from './hub.fixture.test.ts'
import type { ManualTime } from './manual-time.fixture.test.ts'
import {
  createMemoryReplica,
  type HeldSession,
  type MemoryReplica,
} from './memory-replica.fixture.test.ts'

/** A device of a test: its log and its sync. */
export interface TestDevice {
  readonly name: string
  readonly id: DeviceId
  readonly replica: MemoryReplica
  readonly sync: Sync
  /** Devices that it has seen. */
  readonly known: ReadonlySet<DeviceId>
}

/** Makes the members of one space. */
export interface Members {
  /** A started device; `held` is what its store held before. Its network id is `peer`, or its name. */
  device(name: string, options?: DeviceOptions): Promise<TestDevice>
}

/** How a device differs from a new one. */
interface DeviceOptions extends Pick<SyncOptions, 'sessionRate'> {
  readonly held?: ReadonlyMap<SessionId, HeldSession>
  /** A session that it wrongly goes on in. */
  readonly resumed?: SessionId
  readonly peer?: string
  readonly anchor?: boolean
}

/** Bytes that are the same in every run. */
export function randomFrom(seed: string): Random {
  let count = 0
  return {
    bytes: (length) => {
      const out = new Uint8Array(length)
      for (let i = 0; i < length; i += 32) {
        out.set(hash('random', encodeCanonical([seed, count++])).slice(0, length - i), i)
      }
      return out
    },
  }
}

/** A space whose creator is the device `a`. */
export async function createMembers(hub: Hub, time: ManualTime, crypto: Crypto): Promise<Members> {
  const keyOf = (name: string): Promise<SigningKey> =>
    crypto.keyFromSeed(hash('seed', encodeCanonical(name)))
  const idOf = (key: SigningKey): DeviceId => toHex(key.publicKey) as DeviceId
  const creator = await keyOf('a')
  const space: Space = createSpace(idOf(creator), 'member', randomFrom('space'))

  async function chainOf(key: SigningKey, role: Role): Promise<Admission[]> {
    if (idOf(key) === idOf(creator)) return []
    const inviteKey = await crypto.keyFromSeed(hash('invite', key.publicKey))
    const fields = { space: space.record.id, inviteKey: inviteKey.publicKey, role }
    const grant = await signGrant({ ...fields, notAfter: time.now() + 3_600_000 }, creator)
    return [await admit(grant, idOf(key), inviteKey)]
  }

  return {
    async device(name, { held, resumed, peer = name, anchor = false, ...options } = {}) {
      const key = await keyOf(name)
      const chain = await chainOf(key, anchor ? 'anchor' : 'member')
      const ports = { space, key, crypto, clock: time, random: randomFrom(peer) }
      const replica = createMemoryReplica(
        { ...ports, chain: chain.map((admission) => admission.bytes) },
        held,
        resumed,
      )
      const known = new Set<DeviceId>()
      const sync = createSync({
        ...ports,
        ...options,
        network: hub.join(peer),
        replica,
        chain,
        scheduler: time,
        isKnown: (device) => known.has(device),
        remember: (devices) => devices.forEach((each) => known.add(each)),
      })
      await sync.start()
      return { name: peer, id: idOf(key), replica, sync, known }
    },
  }
}
