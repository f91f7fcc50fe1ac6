import {
  array,
  bytes,
  concatBytes,
  domain,
  encodeCanonical,
  fromHex,
  HASH_BYTES,
  PeerplaneError,
  text,
  toHex,
  type Crypto,
  type DeviceId,
  type SigningKey,
  type Value,
} from '@peerplane/core'

/** A device's word that a network key speaks for it. */
export interface Statement {
  readonly peer: string
  readonly device: DeviceId
  readonly anchor: boolean
  /** Ed25519 by the device, over all of the above and the context. */
  readonly signature: Uint8Array
}

const PEER_ID_UNITS = 128

/**
 * Signs a statement. `context` names the one handshake that it is for: a recorded statement is worth nothing in another. So it needs no date,
 * and a device whose clock is wrong is not shut out.
 */
export async function signStatement(
  fields: Pick<Statement, 'peer' | 'anchor'>,
  context: Uint8Array,
  key: SigningKey,
): Promise<Statement> {
  const statement = { ...fields, device: toHex(key.publicKey) as DeviceId }
  return { ...statement, signature: await key.sign(messageOf(statement, context)) }
}

/** Whether the device that a statement names signed it for `context`. */
export const verifyStatement = (
  statement: Statement,
  context: Uint8Array,
  crypto: Crypto,
): Promise<boolean> =>
  crypto.verify(fromHex(statement.device), messageOf(statement, context), statement.signature)

/** A statement for the canonical encoding. */
export const statementToValue = (statement: Statement): Value => [
  statement.peer,
  fromHex(statement.device),
  statement.anchor,
  statement.signature,
]

/** A statement of a decoded value, nothing verified yet. Throws `malformed` or `too-large`. */
export function readStatement(value: Value | undefined): Statement {
  const fields = array(value, 'statement', 4)
  const anchor = fields[2]
  if (typeof anchor !== 'boolean') {
    throw new PeerplaneError('malformed', 'statement.anchor is neither true nor false')
  }
  return {
    peer: text(fields[0], 'statement.peer', PEER_ID_UNITS),
    device: toHex(bytes(fields[1], 'statement.device', HASH_BYTES)) as DeviceId,
    anchor,
    signature: bytes(fields[3], 'statement.signature', 64),
  }
}

const messageOf = (statement: Omit<Statement, 'signature'>, context: Uint8Array): Uint8Array =>
  concatBytes(
    domain('statement'),
    encodeCanonical([context, statement.peer, fromHex(statement.device), statement.anchor]),
  )
