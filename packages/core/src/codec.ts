import { CborReader } from './cbor-reader.ts'
import { CborWriter } from './cbor-writer.ts'
import { PeerplaneError } from './errors.ts'
import type { Value } from './value.ts'

const writer = new CborWriter()

/** Encodes a value as deterministic CBOR (RFC 8949, section 4.2.1). Equal values give equal bytes on every platform. */
export function encodeCanonical(value: Value): Uint8Array {
  return writer.encode(value)
}

/**
 * Encodes a value and calls `use` with the bytes without copying them, for example to hash them. `use` must not keep or change the bytes, and must
 * not encode anything itself.
 */
export function withCanonical<T>(value: Value, use: (encoded: Uint8Array) => T): T {
  return use(writer.encodeBriefly(value))
}

/**
 * Decodes deterministic CBOR. The byte strings in the decoded value are copies, which do not share memory with `bytes`.
 *
 * Refuses bytes that {@link encodeCanonical} does not write, because each value must have only one encoding and one hash. Throws `malformed`.
 */
export function decodeCanonical(bytes: Uint8Array): Value {
  try {
    return new CborReader(bytes).decode()
  } catch (cause) {
    throw new PeerplaneError('malformed', 'these bytes are not CBOR in the canonical form', {
      cause,
    })
  }
}
