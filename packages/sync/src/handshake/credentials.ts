import {
  bytesField,
  checkInvitationTime,
  decodeAdmission,
  limits,
  listField,
  PeerplaneError,
  roleOf,
  verifyAdmissions,
  type Admission,
  type Clock,
  type Crypto,
  type DeviceId,
  type Identity,
  type SigningKey,
  type Space,
  type Value,
} from '@peerplane/core'

import { readStatement, signStatement, statementToValue, verifyStatement } from './statement.ts'

/** Who a device is in its space, and how it judges others. */
export interface Claimant {
  readonly space: Space
  readonly key: SigningKey
  readonly chain: readonly Admission[]
  readonly crypto: Crypto
  readonly clock: Clock
  /** Whether a device has been seen in this space before. */
  readonly isKnown: (device: DeviceId) => boolean
}

/** Who is at the other end, with the evidence. */
export interface Proven extends Identity {
  readonly chain: readonly Admission[]
}

/** What a device shows in the handshake of `context`: `[statement, chain]`. */
export async function credentials({ key, chain }: Claimant, context: Uint8Array): Promise<Value[]> {
  const statement = await signStatement(context, key)
  return [statementToValue(statement), chain.map((admission) => admission.bytes)]
}

/**
 * What `[statement, chain]` proves in the handshake of `context`. Rejects with `handshake-failed` if the statement is wrong, otherwise with
 * `not-a-member`, `expired-invitation`, `wrong-clock` or `malformed`.
 */
export async function prove(
  [said, admissions]: readonly Value[],
  context: Uint8Array,
  self: Claimant,
): Promise<Proven> {
  const statement = readStatement(said)
  const chain = listField(admissions, 'handshake.chain', limits.admissionChain, (value, name) =>
    decodeAdmission(bytesField(value, name)),
  )
  if (!(await verifyStatement(statement, context, self.crypto))) {
    throw new PeerplaneError(
      'handshake-failed',
      'the statement is not signed by the device it names, for this handshake',
    )
  }
  await checkMembership(statement.device, chain, self)
  const anchor = roleOf(self.space.record, chain) === 'anchor'
  return { device: statement.device, anchor, chain }
}

async function checkMembership(
  device: DeviceId,
  chain: readonly Admission[],
  { space, crypto, clock, isKnown }: Claimant,
): Promise<void> {
  if (!(await verifyAdmissions(space.record, device, chain, crypto))) {
    throw new PeerplaneError('not-a-member', 'the admissions do not lead to the device')
  }
  // A known device was let in with all before it; everybody after it is new here.
  const lastKnown = chain.findLastIndex((admission) => isKnown(admission.device))
  const now = clock.now()
  for (const { grant } of chain.slice(lastKnown + 1)) checkInvitationTime(grant.notAfter, now)
}
