import { PeerplaneError } from './errors.ts'

/*
 * The one place where texts become bytes and bytes become texts; the linter refuses any other. What goes through both comes back the same,
 * or is refused: no character is dropped or replaced.
 */

const encoder = new TextEncoder()
// A byte order mark at the beginning belongs to the text.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Encodes `text` as UTF-8. Throws `invalid-input` for a text with a lone surrogate, which has no UTF-8 form. */
export function utf8(text: string): Uint8Array {
  if (!text.isWellFormed()) throw halfPair()
  return encoder.encode(text)
}

/** Inverse of {@link utf8}. Throws `malformed` for bytes that are not UTF-8. */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new PeerplaneError('malformed', 'these bytes are not UTF-8', { cause })
  }
}

/** Makes the error for a text with a lone surrogate, which cannot be stored or sent. */
export const halfPair = (): PeerplaneError =>
  new PeerplaneError('invalid-input', 'a text holds half of a surrogate pair')

/**
 * Compares two texts by their code points. The order of code points is also the order of the UTF-8 bytes, and therefore the order of keys in every
 * store. Everywhere in Peerplane, ids, map keys, set elements and names are in the order of their code points. Returns a negative number if `a` comes
 * first, a positive number if `b` comes first, and 0 if the texts are equal.
 */
export function compareTexts(a: string, b: string): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

/** Surrogates stand for the largest code points, but as UTF-16 units they come before some other units. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}
