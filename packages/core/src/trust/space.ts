import { equalSecrets, fromHex, toHex } from '../bytes.ts'
import { decodeCanonical, encodeCanonical } from '../codec.ts'
import { PeerplaneError } from '../errors.ts'
import { arrayField, bytesField, wholeField } from '../fields.ts'
import { HASH_BYTES, hash } from '../hash.ts'
import type { DeviceId, SpaceId } from '../ids.ts'
import { FORMAT_VERSION } from '../log/opening.ts'
import type { Random } from '../ports/random.ts'
import { readRole, roleToValue, type Role } from './role.ts'

/** The root of trust of a space: its hash is the space id, its creator is the first member. */
export interface SpaceRecord {
  readonly id: SpaceId
  readonly creator: DeviceId
  /** What the device of the creator is. */
  readonly role: Role
  /** Hash of the space secret: a secret that was changed on its way is noticed. */
  readonly commitment: Uint8Array
  readonly bytes: Uint8Array
}

/** A space as its members know it. */
export interface Space {
  readonly record: SpaceRecord
  /** 32 bytes that every member knows and nobody else: the first proof in every handshake, and the key of topic names. */
  readonly secret: Uint8Array
}

/** Founds a space; needs no network. */
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

/** The space record of canonical bytes. Throws `malformed`. */
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
