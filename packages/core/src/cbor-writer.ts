import { compareBytes } from './bytes.ts'
import type { Value } from './value.ts'
import { utf8 } from './text.ts'

/** Longer texts go through the encoder of the platform. */
const SHORT_TEXT = 64
const FIRST_BYTES = 64 * 1024

/**
 * Writes deterministic CBOR (RFC 8949, section 4.2.1): shortest heads and floats, whole numbers as integers, definite lengths, keys in
 * the order of their encoded bytes. One scratch buffer serves all calls: this is the innermost loop of hashing, storing and sending.
 */
export class CborWriter {
  #bytes = new Uint8Array(FIRST_BYTES)
  #view = new DataView(this.#bytes.buffer)
  #length = 0

  /** The encoding of `value`, in an array of its own. Throws for anything but a {@link Value}. */
  encode(value: Value): Uint8Array {
    this.#write(value)
    return this.#bytes.slice(0, this.#length)
  }

  /** The same, to be read before the next call and never to be changed. */
  encodeBriefly(value: Value): Uint8Array {
    this.#write(value)
    return this.#bytes.subarray(0, this.#length)
  }

  #write(value: Value): void {
    // One large value must not keep its memory for ever.
    if (this.#bytes.length > 16 * FIRST_BYTES) this.#replace(new Uint8Array(FIRST_BYTES))
    this.#length = 0
    this.#value(value)
  }

  #value(value: Value): void {
    switch (typeof value) {
      case 'string':
        return this.#text(value)
      case 'number':
        return this.#number(value)
      case 'boolean':
        return this.#byte(value ? 0xf5 : 0xf4)
      case 'object':
        break
      default:
        throw new TypeError(`a ${typeof value} cannot be encoded`)
    }
    if (value === null) return this.#byte(0xf6)
    if (value instanceof Uint8Array) return this.#raw(2, value)
    if (isArray(value)) {
      this.#head(4, value.length)
      // By index: a hole is not a value, and must not be passed over.
      for (let i = 0; i < value.length; i++) this.#value(value[i]!)
      return undefined
    }
    return this.#map(value)
  }

  #map(map: { readonly [key: string]: Value }): void {
    const entries = Object.entries(map).map(([key, value]) => ({ key: utf8(key), value }))
    // A shorter key has a smaller head.
    entries.sort((a, b) => a.key.length - b.key.length || compareBytes(a.key, b.key))
    this.#head(5, entries.length)
    for (const { key, value } of entries) {
      this.#raw(3, key)
      this.#value(value)
    }
  }

  #text(text: string): void {
    if (text.length > SHORT_TEXT) return this.#raw(3, utf8(text))
    this.#reserve(text.length + 9)
    const start = this.#length
    this.#head(3, text.length)
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code > 0x7f) {
        this.#length = start
        return this.#raw(3, utf8(text))
      }
      this.#bytes[this.#length++] = code
    }
    return undefined
  }

  #number(number: number): void {
    if (Number.isSafeInteger(number)) {
      if (number >= 0) this.#head(0, number)
      else this.#head(1, -1 - number)
      return
    }
    this.#reserve(9)
    const at = this.#length
    this.#view.setFloat64(at + 1, number)
    if (Number.isFinite(number) && Math.fround(number) !== number) {
      this.#bytes[at] = 0xfb
      this.#length += 9
      return
    }
    this.#view.setFloat32(at + 1, number)
    const half = halfOf(this.#view.getUint32(at + 1))
    if (half === undefined) {
      this.#bytes[at] = 0xfa
      this.#length += 5
    } else {
      this.#bytes[at] = 0xf9
      this.#view.setUint16(at + 1, half)
      this.#length += 3
    }
  }

  #raw(major: number, bytes: Uint8Array): void {
    this.#head(major, bytes.length)
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  #head(major: number, argument: number): void {
    this.#reserve(9)
    const first = major << 5
    const at = this.#length
    if (argument < 24) {
      this.#bytes[at] = first | argument
      this.#length += 1
    } else if (argument < 0x100) {
      this.#bytes[at] = first | 24
      this.#bytes[at + 1] = argument
      this.#length += 2
    } else if (argument < 0x10000) {
      this.#bytes[at] = first | 25
      this.#view.setUint16(at + 1, argument)
      this.#length += 3
    } else if (argument < 0x100000000) {
      this.#bytes[at] = first | 26
      this.#view.setUint32(at + 1, argument)
      this.#length += 5
    } else {
      this.#bytes[at] = first | 27
      this.#view.setUint32(at + 1, Math.floor(argument / 0x100000000))
      this.#view.setUint32(at + 5, argument % 0x100000000)
      this.#length += 9
    }
  }

  #byte(byte: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = byte
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + more))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#replace(larger)
  }

  #replace(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
  }
}

const isArray = (value: object): value is readonly Value[] => Array.isArray(value)

/** The half-precision bits of a number that is given in single-precision bits, if they can hold it; NaN has one form. */
function halfOf(single: number): number | undefined {
  const sign = (single >>> 16) & 0x8000
  const exponent = ((single >>> 23) & 0xff) - 127
  const mantissa = single & 0x7fffff
  if (exponent === 128) return mantissa === 0 ? sign | 0x7c00 : 0x7e00
  if (exponent >= -14 && exponent <= 15) {
    return mantissa & 0x1fff ? undefined : sign | ((exponent + 15) << 10) | (mantissa >>> 13)
  }
  if (exponent < -24 || exponent > 15) return undefined
  const shift = -1 - exponent
  const whole = mantissa | 0x800000
  return whole & ((1 << shift) - 1) ? undefined : sign | (whole >>> shift)
}
