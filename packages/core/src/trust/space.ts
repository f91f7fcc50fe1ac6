import { equalSecrets, fromHex, toHex } from '../bytes.ts'
import { decodeCanonical, encodeCanonical } from '../codec.ts'
import { PeerplaneError } from '../errors.ts'
import { arrayField, bytesField, wholeField } from '../fields.ts'
import { HASH_BYTES, hash } from '../hash.ts'
import type { DeviceId, SpaceId } from '../ids.ts'
import { FORMAT_VERSION } from '../log/opening.ts'
import type { Random } from '../ports/random.ts'
import { readRole, roleToValue, type Role } from './role.ts'

/**
 * The space record: the root of trust of a space. The hash of the space record is the space id. The space record names the creator of the space,
 * which is the first member.
 */
export interface SpaceRecord {
  readonly id: SpaceId
  readonly creator: DeviceId
  /** The role of the creator's device. */
  readonly role: Role
  /** The hash of the space secret. With the hash of the secret, a new member notices if the secret in its invitation was changed. */
  readonly commitment: Uint8Array
  readonly bytes: Uint8Array
}

/** A space as its members know it: the space record and the space secret. */
export interface Space {
  readonly record: SpaceRecord
  /**
   * The space secret: 32 bytes that only members know. At the beginning of every handshake, both sides prove that they know the space secret. The
   * names of gossip topics are derived from the space secret.
   */
  readonly secret: Uint8Array
}

/** Creates a new space. Needs no network. */
export function createSpace(creator: DeviceId, role: Role, random: Random): Space {
  const secret = random.bytes(32)
  const encoded = encodeCanonical([
    FORMAT_VERSION,
    fromHex(creator),
    roleToValue(role),
    commitmentTo(secret),
    random.bytes(16),
  ])
  return { record: decodeSpaceRecord(encoded), secret }
}

/** Decodes a space record from canonical bytes. Throws `malformed`. */
export function decodeSpaceRecord(encoded: Uint8Array): SpaceRecord {
  const fields = arrayField(decodeCanonical(encoded), 'space', 5)
  const version = wholeField(fields[0], 'space.version')
  if (version !== FORMAT_VERSION) {
    throw new PeerplaneError('malformed', `space has format version ${version}`)
  }
  bytesField(fields[4], 'space.nonce', 16)
  return {
    id: toHex(hash('space', encoded)) as SpaceId,
    creator: toHex(bytesField(fields[1], 'space.creator', HASH_BYTES)) as DeviceId,
    role: readRole(fields[2], 'space.role'),
    commitment: bytesField(fields[3], 'space.commitment', HASH_BYTES),
    bytes: encoded,
  }
}

/** Whether `secret` is the secret of the space. */
export const isSecretOf = (record: SpaceRecord, secret: Uint8Array): boolean =>
  equalSecrets(commitmentTo(secret), record.commitment)

const commitmentTo = (secret: Uint8Array): Uint8Array => hash('space-secret', secret)
