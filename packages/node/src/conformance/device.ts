import {
  admit,
  signGrant,
  toHex,
  type Admission,
  type Crypto,
  type DeviceId,
  type Extensions,
  type Invitation,
  type Random,
  type SigningKey,
} from '@peerplane/core'

/** A device that exists in memory only. */
export interface TestDevice {
  readonly id: DeviceId
  readonly key: SigningKey
  readonly chain: readonly Admission[]
}

type Keys = { readonly crypto: Crypto; readonly random: Random }

/** A new device that an invitation admits. */
export async function joinWith(
  invitation: Invitation,
  { crypto, random }: Keys,
): Promise<TestDevice> {
  const { grant, inviteSeed, chain } = invitation
  const key = await crypto.keyFromSeed(random.bytes(32))
  const id = toHex(key.publicKey) as DeviceId
  return {
    id,
    key,
    chain: [...chain, await admit(grant, id, await crypto.keyFromSeed(inviteSeed))],
  }
}

/** A new device that another one admits, with an invitation that ends at `notAfter`. Its grant and its admission have the extensions. */
export async function guestOf(
  host: TestDevice,
  notAfter: number,
  { crypto, random }: Keys,
  extensions?: Extensions,
): Promise<TestDevice> {
  const key = await crypto.keyFromSeed(random.bytes(32))
  const id = toHex(key.publicKey) as DeviceId
  const inviteKey = await crypto.keyFromSeed(random.bytes(32))
  const { space } = host.chain[0]!.grant
  const fields = { space, inviteKey: inviteKey.publicKey, role: 'member', notAfter } as const
  const grant = await signGrant(extensions ? { ...fields, extensions } : fields, host.key)
  return { id, key, chain: [...host.chain, await admit(grant, id, inviteKey, extensions)] }
}
