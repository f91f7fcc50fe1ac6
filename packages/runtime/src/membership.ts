import {
  admit,
  array,
  bytes,
  checkInvitationTime,
  createInvitation,
  createSpace,
  decodeAdmission,
  decodeCanonical,
  decodeSpaceRecord,
  encodeCanonical,
  encodeInvitation,
  limits,
  list,
  mac,
  PeerplaneError,
  readInvitation,
  text,
  toHex,
  type Admission,
  type DeviceId,
  type Space,
} from '@peerplane/core'

import type { Ports } from './ports.ts'
import { checkHours } from './arguments.ts'
import { deviceOfKey, knownDeviceKey, knownDeviceRange, membershipKey } from './keys.ts'

/** What makes this device a member of its space; kept in the store. */
export interface Membership {
  readonly space: Space
  readonly device: DeviceId
  /** From the creator of the space to this device; empty on the creator's device. */
  readonly chain: readonly Admission[]
  /** Multiaddresses of peers to stay connected to. */
  readonly addresses: readonly string[]
}

/**
 * The membership that the store holds; otherwise the one that `invitation` gives; otherwise that of a new space.
 *
 * Throws `invalid-invitation`, `expired-invitation`, `wrong-clock`, or `wrong-space` when the store belongs to another space than the invitation.
 */
export async function openMembership(
  ports: Ports,
  invitation: string | undefined,
): Promise<Membership> {
  const device = toHex(ports.key.publicKey) as DeviceId
  const stored = await ports.store.get(membershipKey)
  const held = stored && decodeMembership(stored, device)
  if (held && !invitation) return held
  const membership = invitation
    ? await join(ports, device, invitation, held)
    : { space: createSpace(device, ports.random), device, chain: [], addresses: [] }
  await ports.store.write([{ key: membershipKey, value: encodeMembership(membership) }], 'synced')
  return membership
}

/** The gossip topic of a space: whoever does not know the secret cannot name it. */
export const topicOf = (space: Space): string => toHex(mac(space.secret, 'topic').slice(0, 16))

/** The text of an invitation to the space. Throws `invalid-input`. */
export async function invite(
  ports: Ports,
  { space, chain }: Membership,
  hours: number,
  addresses: readonly string[],
): Promise<string> {
  const notAfter = Math.round(ports.clock.now() + checkHours(hours) * 3_600_000)
  return encodeInvitation(
    await createInvitation({ space, chain, key: ports.key }, { notAfter, addresses }, ports),
  )
}

/** Devices that are members for sure: an invitation that has run out since does not shut them out. */
export interface KnownDevices {
  has(device: DeviceId): boolean
  /** Known at once; resolves when they are stored. */
  add(devices: readonly DeviceId[]): Promise<void>
}

/** The known devices of the store. */
export async function loadKnownDevices({ store }: Pick<Ports, 'store'>): Promise<KnownDevices> {
  const entries = await store.scan(knownDeviceRange)
  const known = new Set(entries.map(({ key }) => deviceOfKey(key)))
  return {
    has: (device) => known.has(device),
    add: async (devices) => {
      const fresh = devices.filter((device) => !known.has(device))
      if (fresh.length === 0) return
      for (const device of fresh) known.add(device)
      const value = new Uint8Array(0)
      const writes = fresh.map((device) => ({ key: knownDeviceKey(device), value }))
      await store.write(writes, 'local')
    },
  }
}

async function join(
  ports: Ports,
  device: DeviceId,
  text: string,
  held: Membership | undefined,
): Promise<Membership> {
  const invitation = await readInvitation(text, ports)
  const { space, grant, addresses } = invitation
  if (held) {
    if (held.space.record.id !== space.record.id) {
      throw new PeerplaneError('wrong-space', 'this store holds another space than the invitation')
    }
    const known = new Set([...addresses, ...held.addresses])
    return { ...held, addresses: [...known].slice(0, limits.invitationAddresses) }
  }
  checkInvitationTime(grant.notAfter, ports.clock.now())
  if (space.record.creator === device) return { space, device, chain: [], addresses }
  const inviteKey = await ports.crypto.keyFromSeed(invitation.inviteSeed)
  const admission = await admit(grant, device, inviteKey)
  return { space, device, chain: [...invitation.chain, admission], addresses }
}

const encodeMembership = ({ space, chain, addresses }: Membership): Uint8Array =>
  encodeCanonical([
    space.record.bytes,
    space.secret,
    chain.map((admission) => admission.bytes),
    addresses,
  ])

function decodeMembership(stored: Uint8Array, device: DeviceId): Membership {
  try {
    const fields = array(decodeCanonical(stored), 'membership', 4)
    return {
      space: {
        record: decodeSpaceRecord(bytes(fields[0], 'membership.space')),
        secret: bytes(fields[1], 'membership.secret', 32),
      },
      device,
      chain: list(fields[2], 'membership.chain', limits.admissionChain, (value, name) =>
        decodeAdmission(bytes(value, name)),
      ),
      addresses: list(
        fields[3],
        'membership.addresses',
        limits.invitationAddresses,
        (value, name) => text(value, name, 256),
      ),
    }
  } catch (cause) {
    throw new PeerplaneError('store-corrupt', 'the membership record cannot be read', { cause })
  }
}
