import { CborReader } from './cbor-reader.ts'
import { CborWriter } from './cbor-writer.ts'
import { PeerplaneError } from './errors.ts'
import type { Value } from './value.ts'

const writer = new CborWriter()

/** Deterministic CBOR (RFC 8949, section 4.2.1): equal values give equal bytes on every platform. */
export function encodeCanonical(value: Value): Uint8Array {
  return writer.encode(value)
}

/** The same without a copy, for `use` alone: it must not keep the bytes, change them, or encode anything itself. For hashing. */
export function withCanonical<T>(value: Value, use: (encoded: Uint8Array) => T): T {
  return use(writer.encodeBriefly(value))
}

/**
 * The value of deterministic CBOR; its byte strings are copies.
 *
 * Bytes that {@link encodeCanonical} would not have written are refused: otherwise two encodings of one value would have two hashes.
 * Throws `malformed`.
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
