import { hexToBytes } from '@noble/hashes/utils.js'

const DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))
/** Bytes that are made into text at once: each digit is an argument of a call. */
const PIECE = 1024

/** Returns `bytes` as lower-case hexadecimal digits. Ids have this form in memory, because strings can be map keys. */
export function toHex(bytes: Uint8Array): string {
  if (bytes.length > PIECE) return toHex(bytes.subarray(0, PIECE)) + toHex(bytes.subarray(PIECE))
  // A text that is joined digit by digit is kept as its parts until it is first used, which costs far more than the digits.
  const codes: number[] = []
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!
    codes[2 * i] = DIGITS[byte >> 4]!
    codes[2 * i + 1] = DIGITS[byte & 15]!
  }
  return String.fromCharCode(...codes)
}

/** Inverse of {@link toHex}. Throws for text of odd length and for characters that are not hexadecimal digits. */
export const fromHex = (hex: string): Uint8Array => hexToBytes(hex)

/** Returns a new array with the bytes of all parts, in their order. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let size = 0
  for (const part of parts) size += part.length
  const out = new Uint8Array(size)
  let offset = 0
  for (const part of parts) {
    out.set(part, offset)
    offset += part.length
  }
  return out
}

/**
 * Compares two arrays byte by byte. An array comes before every longer array that begins with the same bytes. In every store, keys are in the order
 * of `compareBytes`.
 */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const difference = a[i]! - b[i]!
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** Whether two arrays of bytes that are not secret are equal. Use {@link equalSecrets} for secrets. */
export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => compareBytes(a, b) === 0

/** Whether two secrets are equal. The duration of the comparison does not depend on where the secrets differ. */
export function equalSecrets(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!
  return difference === 0
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Encodes bytes as base64url without padding (RFC 4648, section 5), for links. */
export function toBase64Url(bytes: Uint8Array): string {
  let out = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const [a, b, c] = [bytes[i]!, bytes[i + 1], bytes[i + 2]]
    out += ALPHABET[a >> 2]! + ALPHABET[((a & 3) << 4) | ((b ?? 0) >> 4)]!
    if (b !== undefined) out += ALPHABET[((b & 15) << 2) | ((c ?? 0) >> 6)]!
    if (c !== undefined) out += ALPHABET[c & 63]!
  }
  return out
}

/** Inverse of {@link toBase64Url}. Returns `undefined` for a text that `toBase64Url` never produces. */
export function fromBase64Url(text: string): Uint8Array | undefined {
  if (text.length % 4 === 1) return undefined
  const out = new Uint8Array(Math.floor((text.length * 3) / 4))
  let bits = 0
  let buffered = 0
  let offset = 0
  for (const character of text) {
    const value = ALPHABET.indexOf(character)
    if (value < 0) return undefined
    buffered = (buffered << 6) | value
    bits += 6
    if (bits >= 8) {
      bits -= 8
      out[offset++] = (buffered >> bits) & 255
      buffered &= (1 << bits) - 1
    }
  }
  return buffered === 0 ? out : undefined
}
