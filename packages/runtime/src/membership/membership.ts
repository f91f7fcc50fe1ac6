import {
  admit,
  arrayField,
  bytesField,
  checkInvitationTime,
  codeOf,
  createInvitation,
  createSpace,
  decodeAdmission,
  decodeCanonical,
  decodeSpaceRecord,
  encodeCanonical,
  encodeInvitation,
  isA,
  isChainUnderstood,
  isUnderstood,
  limits,
  listField,
  mac,
  mayMakeAnchors,
  PeerplaneError,
  readInvitation,
  roleOf,
  textField,
  toHex,
  wholeField,
  type Admission,
  type DeviceId,
  type Role,
  type Space,
  type SpaceId,
  type Store,
  type Write,
} from '@peerplane/core'
import { foundedAside, holdsCommits, isWitnessed, spaceOf, spaceWrite } from '@peerplane/crdt-store'

import { lostWrite, type Seqs } from './lost.ts'
import type { Ports } from '../ports.ts'
import { checkHours } from '../contract/backend.ts'
import { deviceOfKey, knownDeviceKey, knownDeviceRange, membershipKey, seedKey } from '../keys.ts'

/** The data in the store that makes this device a member of its space. */
export interface Membership {
  readonly space: Space
  readonly device: DeviceId
  /** The chain of admissions from the creator of the space to this device; empty on the device of the creator. */
  readonly chain: readonly Admission[]
  /** The multiaddresses of peers to which this device stays connected. */
  readonly addresses: readonly string[]
  /** Whether other devices are, or may be, members, because this device was invited or has made an invitation. */
  readonly shared: boolean
}

/** The data that a device keeps in memory, so that it can continue if its storage is lost while it runs. */
export interface Remembered {
  readonly membership: Membership
  readonly held: Seqs
}

/** What a store contains about its device. */
interface HeldDevice {
  /** The membership of the last member that used the store, or `undefined` if the store contains no membership. */
  readonly membership: Membership | undefined
  /** What is missing for `membership` to belong to the key, or `undefined` if nothing is missing. */
  readonly lack: string | undefined
  /** The space to which the stored data belongs, or `undefined` if no space was founded or joined in the store. */
  readonly space: SpaceId | undefined
}

/** Reads what `store` contains about a device. The data is complete if its key is the key of `device`. Throws `store-version` or `store-corrupt`. */
export async function heldDevice(store: Store, device: string | undefined): Promise<HeldDevice> {
  const stored = await store.get(membershipKey)
  const membership = stored && decodeMembership(stored)
  const logged = await spaceOf(store)
  const space = membership?.space.record.id ?? logged
  if (logged !== undefined && logged !== space) {
    throw new PeerplaneError('store-corrupt', 'the store holds the parts of two spaces')
  }
  const lack = lackOf(membership, logged, device) ?? (await lackOfAll(store, space))
  return { membership, lack, space }
}

function lackOf(
  membership: Membership | undefined,
  logged: SpaceId | undefined,
  device: string | undefined,
): string | undefined {
  if (!membership) return logged && 'the record of the membership of this device is gone'
  if (logged === undefined) return 'the log of this device is gone'
  return membership.device === device ? undefined : 'the key of this device is gone'
}

/** Returns what is missing in a store without a device. If anything was ever written to such a store, it is not a new store. */
const lackOfAll = async (store: Store, space: SpaceId | undefined): Promise<string | undefined> =>
  space === undefined && (await isWitnessed(store))
    ? 'all that this device had stored is gone'
    : undefined

/** Reads what the store contains. First stores the space that a page founded if the page was closed with its first commit. */
async function heldOrAside({ store }: Ports, device: DeviceId): Promise<HeldDevice> {
  const held = await heldDevice(store, device)
  if (held.space !== undefined) return held
  const founded = await foundedAside(store, [membershipKey, seedKey])
  if (founded.length === 0) return held
  await store.write(founded, 'synced')
  return heldDevice(store, device)
}

/** The membership that a plane opens with. */
export interface OpenedMembership {
  readonly membership: Membership
  /** Whether the membership is stored. The membership of a new space is not stored until the space is founded. */
  readonly isStored: boolean
}

/** Options for opening a membership. */
interface OpeningOptions {
  /** An invitation. */
  readonly join?: string | undefined
  /** Whether the creator of a new space is an anchor. */
  readonly anchor?: boolean | undefined
  readonly remembered?: Remembered | undefined
}

/**
 * The membership that the store holds; otherwise the one that is `remembered` from before the storage was lost; otherwise the one that
 * `join` gives; otherwise that of a new space, which is not stored.
 *
 * An invitation completes a store of its own space that lacks a part, and takes the place of a space that nobody wrote in or was invited to.
 *
 * Throws `invalid-invitation`, `expired-invitation`, `wrong-clock`, `needs-update`, `wrong-space` when the invitation is to a space other than the store's, or
 * `storage-lost` when a part of the store is gone and there is no invitation.
 */
export async function openMembership(
  ports: Ports,
  options: OpeningOptions,
): Promise<OpenedMembership> {
  const opened = await openOf(ports, options)
  const { space, chain } = opened.membership
  // Its own commits would have no effect here.
  if (!isUnderstood(space.record.extensions) || !isChainUnderstood(chain)) {
    throw new PeerplaneError('needs-update', 'a newer version has made this device a member', {
      advice: 'Update this program.',
    })
  }
  traceRole(ports, opened.membership, options.anchor ?? false)
  return opened
}

async function openOf(
  ports: Ports,
  { join: invitation, anchor = false, remembered }: OpeningOptions,
): Promise<OpenedMembership> {
  const device = toHex(ports.key.publicKey) as DeviceId
  const held = await heldOrAside(ports, device)
  if (remembered && held.space === undefined && remembered.membership.device === device) {
    const { membership } = remembered
    const writes = [...foundingWrites(ports, membership), lostWrite(remembered.held)]
    await ports.store.write(writes, 'synced')
    return { membership, isStored: true }
  }
  if (invitation !== undefined) {
    const membership = await join(ports, device, invitation, held)
    await ports.store.write(foundingWrites(ports, membership), 'synced')
    return { membership, isStored: true }
  }
  if (held.lack !== undefined) throw new PeerplaneError('storage-lost', held.lack)
  if (held.membership) return { membership: held.membership, isStored: true }
  const space = createSpace(device, anchor ? 'anchor' : 'member', ports.random)
  return { membership: { space, device, chain: [], addresses: [], shared: false }, isStored: false }
}

/** The writes that make the device of `membership` exist: all of them, or none. */
export const foundingWrites = (
  { keyWrites = [] }: Pick<Ports, 'keyWrites'>,
  membership: Membership,
): readonly Write[] => [
  ...keyWrites,
  { key: membershipKey, value: encodeMembership(membership) },
  spaceWrite(membership.space.record.id),
]

/**
 * Resolves with the role that an invitation gives to a device. To call `checkInvitation`, no plane has to be open. Rejects with `invalid-invitation`
 * if the text is not a valid invitation.
 */
export const checkInvitation = async (text: string, ports: Pick<Ports, 'crypto'>): Promise<Role> =>
  (await readInvitation(text, ports)).grant.role

/** Whether the space of an invitation may replace the stored space, because nobody wrote in the stored space, and nobody was invited to it. */
const isReplaceable = async (
  { shared }: Membership,
  { store }: Pick<Ports, 'store'>,
): Promise<boolean> => !shared && !(await holdsCommits(store))

/**
 * Whether `invitation`, which may have expired, is to the space of an open plane; `false` if it is to another one, for which the plane may
 * make room. Throws `invalid-invitation` or `wrong-space`.
 */
export async function isInvitedTo(
  membership: Membership,
  ports: Ports,
  invitation: string,
): Promise<boolean> {
  const { space } = await readInvitation(invitation, ports)
  if (space.record.id === membership.space.record.id) return true
  if (await isReplaceable(membership, ports)) return false
  throw new PeerplaneError('wrong-space', OTHER_SPACE)
}

/** The gossip topic of a space: a device that does not know the secret cannot name it. */
export const topicOf = (space: Space): string => toHex(mac(space.secret, 'topic').slice(0, 16))

/** Traces that an option or an invitation asks to make this device an anchor, but has no effect. */
function traceRole(
  { trace }: Pick<Ports, 'trace'>,
  { space, chain, device }: Membership,
  wished: boolean,
): void {
  const wants = wished || chain.at(-1)?.grant.role === 'anchor'
  if (wants && roleOf(space.record, chain) === 'member') trace?.('role.ignored', { device })
}

/** Throws `not-allowed` if this device may not give `role`. */
export function checkMayInvite({ space, chain }: Membership, role: Role): void {
  if (role === 'member' || mayMakeAnchors(space.record, chain)) return
  throw new PeerplaneError(
    'not-allowed',
    'this device is a member, and only the creator of the space and anchors make anchors',
    {
      advice: 'Invite on the device that founded the space, or on an anchor.',
    },
  )
}

/** Makes an invitation to the space, as text. Throws `invalid-input`. */
export async function invite(
  ports: Ports,
  { space, chain }: Pick<Membership, 'space' | 'chain'>,
  options: { readonly hours: number; readonly role: Role; readonly addresses: readonly string[] },
): Promise<string> {
  const { hours, ...rest } = options
  const notAfter = Math.round(ports.clock.now() + checkHours(hours) * 3_600_000)
  return encodeInvitation(
    await createInvitation({ space, chain, key: ports.key }, { notAfter, ...rest }, ports),
  )
}

/** Devices that are known to be members. They stay members even if their invitations have expired since. */
export interface KnownDevices {
  has(device: DeviceId): boolean
  /** The devices are known immediately, and stay known while the plane is open, even if they cannot be stored. Resolves when they are stored. */
  add(devices: readonly DeviceId[]): Promise<void>
}

/** Loads the known devices from the store. */
export async function loadKnownDevices({
  store,
  trace,
}: Pick<Ports, 'store' | 'trace'>): Promise<KnownDevices> {
  const entries = await store.scan(knownDeviceRange)
  const known = new Set(entries.map(({ key }) => deviceOfKey(key)))
  return {
    has: (device) => known.has(device),
    add: async (devices) => {
      const fresh = devices.filter((device) => !known.has(device))
      if (fresh.length === 0) return
      for (const device of fresh) {
        known.add(device)
        trace?.('device.met', { device })
      }
      const value = new Uint8Array(0)
      const writes = fresh.map((device) => ({ key: knownDeviceKey(device), value }))
      await store.write(writes, 'local').catch((error: unknown) => {
        trace?.('upkeep.failed', { what: 'remembering a device', code: codeOf(error) })
      })
    },
  }
}

async function join(
  ports: Ports,
  device: DeviceId,
  text: string,
  { membership: held, lack, space: stored }: HeldDevice,
): Promise<Membership> {
  // A member opens an old link to its own space, and does not hear that it has expired.
  const { space, addresses, grant, inviteSeed, chain } = await readInvitation(text, ports)
  const isMember = held !== undefined && lack === undefined
  if (isMember && stored === space.record.id) {
    traceRole(ports, held, grant.role === 'anchor')
    const known = new Set([...addresses, ...held.addresses])
    return { ...held, addresses: [...known].slice(0, limits.invitationAddresses) }
  }
  if (stored !== undefined && stored !== space.record.id) {
    const mayGo = isMember && (await isReplaceable(held, ports))
    if (!mayGo) throw new PeerplaneError('wrong-space', OTHER_SPACE)
  }
  checkInvitationTime(grant.notAfter, ports.clock.now())
  if (space.record.creator === device) {
    return { space, device, chain: [], addresses, shared: true }
  }
  const admission = await admit(grant, device, await ports.crypto.keyFromSeed(inviteSeed))
  return { space, device, chain: [...chain, admission], addresses, shared: true }
}

const OTHER_SPACE =
  'the invitation is for a different space, and not for the space stored under this name'

const encodeMembership = ({ space, chain, addresses, shared }: Membership): Uint8Array =>
  encodeCanonical([
    space.record.bytes,
    space.secret,
    chain.map((admission) => admission.bytes),
    addresses,
    shared ? 1 : 0,
  ])

/** Decodes the membership in a stored record. Throws `store-corrupt` or `needs-update`. */
function decodeMembership(stored: Uint8Array): Membership {
  try {
    const fields = arrayField(decodeCanonical(stored), 'membership', 5)
    const record = decodeSpaceRecord(bytesField(fields[0], 'membership.space'))
    const chain = listField(fields[2], 'membership.chain', limits.admissionChain, (value, name) =>
      decodeAdmission(bytesField(value, name)),
    )
    return {
      space: { record, secret: bytesField(fields[1], 'membership.secret', 32) },
      device: chain.at(-1)?.device ?? record.creator,
      chain,
      shared: wholeField(fields[4], 'membership.shared') > 0,
      addresses: listField(
        fields[3],
        'membership.addresses',
        limits.invitationAddresses,
        (value, name) => textField(value, name, 256),
      ),
    }
  } catch (cause) {
    if (isA(PeerplaneError, cause) && cause.code === 'needs-update') throw cause
    throw new PeerplaneError('store-corrupt', 'the membership record cannot be read', { cause })
  }
}
