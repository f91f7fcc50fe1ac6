import { decode, encode, rfc8949EncodeOptions } from 'cborg'

import { equalBytes } from './bytes.ts'
import { PeerplaneError } from './errors.ts'

/** What the canonical encoding carries: JSON values and byte strings. */
export type Value =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly Value[]
  | { readonly [key: string]: Value }

const decodeOptions = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
  rejectDuplicateMapKeys: true,
}

/** Deterministic CBOR (RFC 8949, section 4.2.1): equal values give equal bytes on every platform. */
export function encodeCanonical(value: Value): Uint8Array {
  return encode(value, rfc8949EncodeOptions)
}

/**
 * The value of deterministic CBOR.
 *
 * Bytes that {@link encodeCanonical} would not have written are refused: otherwise two encodings of one value would have two hashes.
 * Throws `malformed`.
 */
export function decodeCanonical(bytes: Uint8Array): Value {
  let value: Value
  try {
    value = decode(bytes, decodeOptions) as Value
  } catch (cause) {
    throw new PeerplaneError('malformed', 'these bytes are not CBOR', { cause })
  }
  if (!equalBytes(encodeCanonical(value), bytes)) {
    throw new PeerplaneError('malformed', 'these bytes are CBOR, but not in the canonical form')
  }
  return value
}
