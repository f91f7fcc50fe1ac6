import { equalSecrets, fromHex, toHex } from '../bytes.ts'
import { decodeCanonical, encodeCanonical } from '../codec.ts'
import { arrayField, bytesField } from '../fields.ts'
import { HASH_BYTES, hash } from '../hash.ts'
import type { DeviceId, SpaceId } from '../ids.ts'
import { extensionsAfter, type Extensions } from '../log/extensions.ts'
import { checkVersion, FORMAT_VERSION } from '../log/opening.ts'
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
  readonly extensions?: Extensions
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

/** Decodes a space record from canonical bytes. Throws `malformed`, `too-large` or `needs-update`. */
export function decodeSpaceRecord(encoded: Uint8Array): SpaceRecord {
  const fields = arrayField(decodeCanonical(encoded), 'space')
  checkVersion(fields[0], 'space')
  const extensions = extensionsAfter(fields, 5, 'space')
  bytesField(fields[4], 'space.nonce', 16)
  return {
    id: toHex(hash('space', encoded)) as SpaceId,
    creator: toHex(bytesField(fields[1], 'space.creator', HASH_BYTES)) as DeviceId,
    role: readRole(fields[2], 'space.role'),
    commitment: bytesField(fields[3], 'space.commitment', HASH_BYTES),
    ...extensions,
    bytes: encoded,
  }
}

/** Whether `secret` is the secret of the space. */
export const isSecretOf = (record: SpaceRecord, secret: Uint8Array): boolean =>
  equalSecrets(commitmentTo(secret), record.commitment)

const commitmentTo = (secret: Uint8Array): Uint8Array => hash('space-secret', secret)
