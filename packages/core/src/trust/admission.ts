import { concatBytes, fromHex, toHex } from '../bytes.ts'
import { decodeCanonical, encodeCanonical } from '../codec.ts'
import type { Value } from '../value.ts'
import { arrayField, bytesField, wholeField } from '../fields.ts'
import { HASH_BYTES, domain, hash } from '../hash.ts'
import type { DeviceId, SpaceId } from '../ids.ts'
import { limits } from '../limits.ts'
import {
  extensionsAfter,
  isUnderstood,
  withExtensions,
  type Extensions,
} from '../log/extensions.ts'
import type { Crypto, SigningKey } from '../ports/crypto.ts'
import { readRole, roleToValue, type Role } from './role.ts'
import type { SpaceRecord } from './space.ts'

/*
 * How a device becomes a member without asking anybody who is online:
 *
 *   creator ──signs──> grant {space, invite key, role, not after} ──invite key signs──> admission of device B
 *   device B ──signs──> grant {…}                                 ──invite key signs──> admission of device C
 *
 * The secret half of the invite key travels in the invitation. A chain of admissions leads from every device back to the creator, and
 * anyone who sees the chain can check it.
 */

/** A grant: a member permits the holder of an invite key to admit devices to the space. */
export interface Grant {
  readonly space: SpaceId
  readonly issuer: DeviceId
  /** The Ed25519 public key of the invitation, 32 bytes. */
  readonly inviteKey: Uint8Array
  /** The role of the devices that this grant admits; see `roleOf`. */
  readonly role: Role
  /**
   * The time when the grant expires, in milliseconds since 1970. When a new device connects to a member, the member compares the expiry of the grant
   * with its own clock.
   */
  readonly notAfter: number
  /** The Ed25519 signature of the grant by its issuer. It covers the extensions. */
  readonly signature: Uint8Array
  readonly extensions?: Extensions
}

/** The proof that a device was invited. */
export interface Admission {
  readonly grant: Grant
  readonly device: DeviceId
  /** The Ed25519 signature of the admission by the invite key. It covers the extensions. */
  readonly signature: Uint8Array
  readonly extensions?: Extensions
  /** The canonical bytes of the admission, including its signature. The hash of the canonical bytes identifies the admission. */
  readonly bytes: Uint8Array
  readonly id: Uint8Array
}

/** Signs a grant. */
export async function signGrant(
  fields: Omit<Grant, 'signature' | 'issuer'>,
  issuer: SigningKey,
): Promise<Grant> {
  const grant = { ...fields, issuer: toHex(issuer.publicKey) as DeviceId }
  return { ...grant, signature: await issuer.sign(grantMessage(grant)) }
}

/** Creates the admission of `device`, signed with the invite key of the grant. */
export async function admit(
  grant: Grant,
  device: DeviceId,
  inviteKey: SigningKey,
  extensions?: Extensions,
): Promise<Admission> {
  const signature = await inviteKey.sign(admissionMessage({ grant, device, extensions }))
  const fields = [grantToValue(grant), fromHex(device), signature]
  return decodeAdmission(encodeCanonical(withExtensions(fields, extensions)))
}

/** Decodes an admission from canonical bytes, without verifying its signatures. Throws `malformed`. */
export function decodeAdmission(encoded: Uint8Array): Admission {
  const fields = arrayField(decodeCanonical(encoded), 'admission')
  const extensions = extensionsAfter(fields, 3, 'admission')
  return {
    grant: readGrant(fields[0]!),
    device: toHex(bytesField(fields[1], 'admission.device', HASH_BYTES)) as DeviceId,
    signature: bytesField(fields[2], 'admission.signature', 64),
    ...extensions,
    bytes: encoded,
    id: hash('admission', encoded),
  }
}

/** Converts a grant into a value for the canonical encoding. */
export const grantToValue = (grant: Grant): Value =>
  withExtensions([...grantFields(grant), grant.signature], grant.extensions)

/** Reads a grant from a decoded value. Throws `malformed`. */
export function readGrant(value: Value): Grant {
  const fields = arrayField(value, 'grant')
  const extensions = extensionsAfter(fields, 6, 'grant')
  return {
    space: toHex(bytesField(fields[0], 'grant.space', HASH_BYTES)) as SpaceId,
    issuer: toHex(bytesField(fields[1], 'grant.issuer', HASH_BYTES)) as DeviceId,
    inviteKey: bytesField(fields[2], 'grant.inviteKey', HASH_BYTES),
    role: readRole(fields[3], 'grant.role'),
    notAfter: wholeField(fields[4], 'grant.notAfter'),
    signature: bytesField(fields[5], 'grant.signature', 64),
    ...extensions,
  }
}

/**
 * Whether `chain` is a valid chain of admissions from the creator of the space to `device`. In a valid chain, the creator grants the first admission,
 * the device admitted by each admission grants the next one, and the last admission admits `device`. The admission chain of the creator is empty.
 * `verifyAdmissions` does not check whether grants have expired: a member checks the expiry when it first meets a device, and a device that another
 * member has admitted stays a member.
 */
export async function verifyAdmissions(
  space: SpaceRecord,
  device: DeviceId,
  chain: readonly Admission[],
  crypto: Crypto,
): Promise<boolean> {
  if (chain.length > limits.admissionChain) return false
  let member = space.creator
  for (const admission of chain) {
    const { grant, device: admitted, signature } = admission
    if (grant.space !== space.id || grant.issuer !== member) return false
    const granted = await crypto.verify(fromHex(member), grantMessage(grant), grant.signature)
    if (!granted) return false
    if (!(await crypto.verify(grant.inviteKey, admissionMessage(admission), signature))) {
      return false
    }
    member = admitted
  }
  return member === device
}

/**
 * Returns the role of a device; `chain` is the verified chain of admissions that leads to this device. The space record contains the role of the
 * creator. A grant makes a device an anchor only if the issuer of the grant may invite anchors, see {@link mayMakeAnchors}. If the issuer may not
 * invite anchors, the admitted device becomes a member, and its admission is still valid.
 */
export function roleOf(space: SpaceRecord, chain: readonly Admission[]): Role {
  if (chain.length === 0) return space.role
  const areAnchors = chain.every(({ grant }) => grant.role === 'anchor')
  return areAnchors && isChainUnderstood(chain) ? 'anchor' : 'member'
}

/**
 * Whether this version of the program knows all critical extensions of the grants and admissions in a chain. If it does not, the device to which the chain leads is a
 * member whose commits have no effect here until an update.
 */
export const isChainUnderstood = (chain: readonly Admission[]): boolean =>
  chain.every(({ grant, extensions }) => isUnderstood(grant.extensions) && isUnderstood(extensions))

/**
 * Whether a device can invite anchors; `chain` is the chain of admissions that leads to this device. Only the creator and anchors can invite anchors.
 */
export const mayMakeAnchors = (space: SpaceRecord, chain: readonly Admission[]): boolean =>
  chain.length === 0 || roleOf(space, chain) === 'anchor'

const grantMessage = (grant: Omit<Grant, 'signature'>): Uint8Array =>
  concatBytes(
    domain('grant'),
    encodeCanonical(withExtensions(grantFields(grant), grant.extensions)),
  )

const grantFields = (grant: Omit<Grant, 'signature'>): readonly Value[] => [
  fromHex(grant.space),
  fromHex(grant.issuer),
  grant.inviteKey,
  roleToValue(grant.role),
  grant.notAfter,
]

/** Extensions are signed as a list after the device, if there are any. */
const admissionMessage = ({
  grant,
  device,
  extensions,
}: Pick<Admission, 'grant' | 'device'> & {
  readonly extensions?: Extensions | undefined
}): Uint8Array =>
  concatBytes(
    domain('admission-signature'),
    hash('grant-id', grantMessage(grant)),
    fromHex(device),
    ...withExtensions([], extensions).map(encodeCanonical),
  )
