import {
  arrayField,
  bytesField,
  concatBytes,
  domain,
  encodeCanonical,
  fromHex,
  HASH_BYTES,
  toHex,
  type Crypto,
  type DeviceId,
  type SigningKey,
  type Value,
} from '@peerplane/core'

/** A device's word that it is at one end of a handshake: so the network key of that end speaks for it. */
export interface Statement {
  readonly device: DeviceId
  /** Ed25519 by the device, over its id and the context. */
  readonly signature: Uint8Array
}

/**
 * Signs a statement. `context` names the handshake and the side that it is for: a recorded statement is worth nothing elsewhere. So it needs no
 * date, and a device whose clock is wrong is not shut out.
 */
export async function signStatement(context: Uint8Array, key: SigningKey): Promise<Statement> {
  const statement = { device: toHex(key.publicKey) as DeviceId }
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
  fromHex(statement.device),
  statement.signature,
]

/** A statement of a decoded value, nothing verified yet. Throws `malformed` or `too-large`. */
export function readStatement(value: Value | undefined): Statement {
  const fields = arrayField(value, 'statement', 2)
  return {
    device: toHex(bytesField(fields[0], 'statement.device', HASH_BYTES)) as DeviceId,
    signature: bytesField(fields[1], 'statement.signature', 64),
  }
}

const messageOf = (statement: Omit<Statement, 'signature'>, context: Uint8Array): Uint8Array =>
  concatBytes(domain('statement'), encodeCanonical([context, fromHex(statement.device)]))
