import { PeerplaneError } from '../errors.ts'
import { wholeField } from '../fields.ts'
import type { Value } from '../value.ts'

/** The role of a device in its space. An anchor is an always-on device that introduces and relays members. */
export type Role = 'member' | 'anchor'

const ROLES: readonly Role[] = ['member', 'anchor']

/** Converts a role into a value for the canonical encoding. */
export const roleToValue = (role: Role): Value => ROLES.indexOf(role)

/** Reads a role from a decoded value. Throws `malformed`. */
export function readRole(value: Value | undefined, name: string): Role {
  const number = wholeField(value, name)
  const role = ROLES[number]
  if (role === undefined) throw new PeerplaneError('malformed', `${name} is ${number}`)
  return role
}
