import { fromBase64Url, toBase64Url, toHex } from '../bytes.ts'
import { decodeCanonical, encodeCanonical } from '../codec.ts'
import { describe } from '../describe.ts'
import { isA, PeerplaneError } from '../errors.ts'
import { arrayField, bytesField, listField, textField } from '../fields.ts'
import type { DeviceId } from '../ids.ts'
import { limits } from '../limits.ts'
import { extensionsAfter, isUnderstood } from '../log/extensions.ts'
import { checkVersion, FORMAT_VERSION } from '../log/opening.ts'
import type { Crypto, SigningKey } from '../ports/crypto.ts'
import type { Random } from '../ports/random.ts'
import {
  admit,
  decodeAdmission,
  grantToValue,
  isChainUnderstood,
  readGrant,
  signGrant,
  verifyAdmissions,
} from './admission.ts'
import type { Admission, Grant } from './admission.ts'
import type { Role } from './role.ts'
import { decodeSpaceRecord, isSecretOf, type Space } from './space.ts'

/** All data that a device needs to become a member of a space. An invitation is a secret, because anyone who has it can join. */
export interface Invitation {
  readonly space: Space
  readonly grant: Grant
  /** The seed of the invite key, 32 bytes. */
  readonly inviteSeed: Uint8Array
  /** The chain of admissions that leads from the creator of the space to the issuer of the grant. */
  readonly chain: readonly Admission[]
  /** The multiaddresses of peers that the new device tries to reach first. */
  readonly addresses: readonly string[]
}

/** Makes an invitation that can be used until `notAfter` and that gives devices the role `role`. */
export async function createInvitation(
  from: { readonly space: Space; readonly chain: readonly Admission[]; readonly key: SigningKey },
  options: {
    readonly role: Role
    readonly notAfter: number
    readonly addresses: readonly string[]
  },
  ports: { readonly crypto: Crypto; readonly random: Random },
): Promise<Invitation> {
  const inviteSeed = ports.random.bytes(32)
  const inviteKey = (await ports.crypto.keyFromSeed(inviteSeed)).publicKey
  const grant = await signGrant(
    { space: from.space.record.id, inviteKey, role: options.role, notAfter: options.notAfter },
    from.key,
  )
  const addresses = options.addresses.slice(0, limits.invitationAddresses)
  return { space: from.space, grant, inviteSeed, chain: from.chain, addresses }
}

const PREFIX = 'pp1.'
/** All versions of invitations begin in this way. */
const ANY_PREFIX = /(?:^|#join=)pp(?!1\.)\d+\.[\w-]+$/

/** Encodes an invitation as text for the fragment of a URL. Browsers never send the fragment to a server. */
export function encodeInvitation(invitation: Invitation): string {
  const encoded = encodeCanonical([
    FORMAT_VERSION,
    invitation.space.record.bytes,
    invitation.space.secret,
    grantToValue(invitation.grant),
    invitation.inviteSeed,
    invitation.chain.map((admission) => admission.bytes),
    invitation.addresses,
  ])
  return PREFIX + toBase64Url(encoded)
}

/** Returns the address of `page` with `invitation` in its fragment. */
export const invitationLink = (page: string, invitation: Invitation): string =>
  `${page.split('#')[0]}#join=${encodeInvitation(invitation)}`

/**
 * Reads the invitation in a link, or in the text from {@link encodeInvitation}, and verifies all its signatures. Throws `invalid-invitation`, or
 * `needs-update` if only a later version can use the invitation.
 * `readInvitation` does not check whether the invitation has expired; {@link checkInvitationTime} does.
 */
export async function readInvitation(
  link: string,
  ports: { readonly crypto: Crypto },
): Promise<Invitation> {
  const invitation = decodeInvitation(link)
  const { space, grant, chain } = invitation
  const invalid = new PeerplaneError('invalid-invitation', 'the invitation was changed on its way')
  if (grant.space !== space.record.id || !isSecretOf(space.record, space.secret)) throw invalid
  const inviteKey = await ports.crypto.keyFromSeed(invitation.inviteSeed)
  // An admission of the invite key itself: if its chain holds, the chain of a device will.
  const probe = await admit(grant, toHex(inviteKey.publicKey) as DeviceId, inviteKey)
  const whole = await verifyAdmissions(space.record, probe.device, [...chain, probe], ports.crypto)
  if (!whole) throw invalid
  // A device that joined would have to leave out what it writes itself.
  if (!isUnderstood(space.record.extensions) || !isChainUnderstood([...chain, probe])) {
    throw needsUpdate('the invitation, or its space, has an unknown critical key')
  }
  return invitation
}

function decodeInvitation(link: unknown): Invitation {
  if (typeof link !== 'string') {
    throw new PeerplaneError(
      'invalid-invitation',
      `an invitation is a string, not ${describe(link)}`,
    )
  }
  const [, encoded] = /(?:^|#join=)(pp1\.[\w-]+)$/.exec(link.trim()) ?? []
  if (!encoded) {
    if (ANY_PREFIX.test(link.trim())) throw needsUpdate('the invitation has another version')
    throw new PeerplaneError('invalid-invitation', 'the text does not end in an invitation')
  }
  if (encoded.length > limits.invitationBytes) {
    throw new PeerplaneError('invalid-invitation', 'the invitation is too long')
  }
  const decoded = fromBase64Url(encoded.slice(PREFIX.length))
  try {
    const fields = arrayField(decodeCanonical(decoded ?? new Uint8Array(0)), 'invitation')
    checkVersion(fields[0], 'invitation')
    const { extensions } = extensionsAfter(fields, 7, 'invitation')
    if (!isUnderstood(extensions)) {
      throw needsUpdate('the invitation has an unknown critical key')
    }
    return {
      space: {
        record: decodeSpaceRecord(bytesField(fields[1], 'invitation.space')),
        secret: bytesField(fields[2], 'invitation.secret', 32),
      },
      grant: readGrant(fields[3]!),
      inviteSeed: bytesField(fields[4], 'invitation.inviteSeed', 32),
      chain: listField(fields[5], 'invitation.chain', limits.admissionChain, (value, name) =>
        decodeAdmission(bytesField(value, name)),
      ),
      addresses: listField(
        fields[6],
        'invitation.addresses',
        limits.invitationAddresses,
        (value, name) => textField(value, name, 256),
      ),
    }
  } catch (cause) {
    if (isA(PeerplaneError, cause) && cause.code === 'needs-update') throw cause
    throw new PeerplaneError('invalid-invitation', 'the invitation cannot be read', { cause })
  }
}

const needsUpdate = (reason: string): PeerplaneError =>
  new PeerplaneError('needs-update', reason, { advice: 'Update this device.' })
