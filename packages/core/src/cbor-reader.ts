import { compareBytes } from './bytes.ts'
import { fromUtf8 } from './text.ts'
import type { Value } from './value.ts'

/** Longer texts go through the decoder of the platform. */
const SHORT_TEXT = 64

/** Values are nested less deeply on every platform than its stack allows, so that all devices read the same. */
const MAX_DEPTH = 256

/** Reads what `CborWriter` writes and nothing else, so that a value has one encoding. Throws for anything else. */
export class CborReader {
  readonly #bytes: Uint8Array
  #at = 0
  #depth = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** The value that is all of the bytes. */
  decode(): Value {
    const value = this.#value()
    if (this.#at !== this.#bytes.length) throw new SyntaxError('bytes follow the value')
    return value
  }

  #value(): Value {
    const first = this.#byte()
    const major = first >>> 5
    if (major === 7) return this.#simple(first)
    const argument = this.#argument(first & 31)
    switch (major) {
      case 0:
        return argument
      case 1:
        return this.#negative(argument)
      case 2:
        return this.#copy(argument)
      case 3:
        return this.#text(argument)
      case 4:
        return this.#array(argument)
      case 5:
        return this.#map(argument)
      default:
        throw new SyntaxError('a tag')
    }
  }

  #array(length: number): Value {
    // Each item has a byte at least: a forged length takes no memory.
    if (length > this.#bytes.length - this.#at) throw new SyntaxError('the bytes end too early')
    const items: Value[] = []
    this.#enter()
    for (let i = 0; i < length; i++) items.push(this.#value())
    this.#depth--
    return items
  }

  #map(size: number): Value {
    const map: { [key: string]: Value } = {}
    let before: Uint8Array | undefined
    this.#enter()
    for (let i = 0; i < size; i++) {
      const first = this.#byte()
      if (first >>> 5 !== 3) throw new SyntaxError('a key that is not a string')
      const length = this.#argument(first & 31)
      const key = this.#bytes.subarray(this.#at, this.#at + length)
      if (before && (before.length - key.length || compareBytes(before, key)) >= 0) {
        throw new SyntaxError('keys out of order')
      }
      before = key
      const name = this.#text(length)
      const value = this.#value()
      if (name === '__proto__') {
        const property = { value, enumerable: true, configurable: true, writable: true }
        Object.defineProperty(map, name, property)
      } else map[name] = value
    }
    this.#depth--
    return map
  }

  #enter(): void {
    if (++this.#depth > MAX_DEPTH) throw new SyntaxError('the value is nested too deeply')
  }

  #text(length: number): string {
    if (length > SHORT_TEXT) return fromUtf8(this.#take(length))
    let text = ''
    const start = this.#at
    for (let i = 0; i < length; i++) {
      const code = this.#byte()
      if (code > 0x7f) {
        this.#at = start
        return fromUtf8(this.#take(length))
      }
      text += String.fromCharCode(code)
    }
    return text
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new SyntaxError('the bytes end too early')
    return byte
  }

  /** The next `length` bytes as a number, most significant first. */
  #unsigned(length: number): number {
    let number = 0
    for (let i = 0; i < length; i++) number = number * 0x100 + this.#byte()
    return number
  }

  #copy(length: number): Uint8Array {
    const start = this.#pass(length)
    // That of a Node buffer would be no copy.
    return Uint8Array.prototype.slice.call(this.#bytes, start, this.#at)
  }

  #take(length: number): Uint8Array {
    const start = this.#pass(length)
    return this.#bytes.subarray(start, this.#at)
  }

  /** Goes on by `length` bytes; returns where they begin. */
  #pass(length: number): number {
    const start = this.#at
    this.#at += length
    if (this.#at > this.#bytes.length) throw new SyntaxError('the bytes end too early')
    return start
  }

  #negative(argument: number): number {
    const number = -1 - argument
    if (!Number.isSafeInteger(number)) throw new SyntaxError('an integer that is not safe')
    return number
  }

  #simple(first: number): Value {
    switch (first) {
      case 0xf4:
        return false
      case 0xf5:
        return true
      case 0xf6:
        return null
      case 0xf9:
        return shortest(numberOfHalf(this.#unsigned(2)), 2)
      case 0xfa:
        return shortest(viewOf(this.#take(4)).getFloat32(0), 4)
      case 0xfb:
        return shortest(viewOf(this.#take(8)).getFloat64(0), 8)
      default:
        throw new SyntaxError('neither false, true, null nor a float')
    }
  }

  #argument(short: number): number {
    if (short < 24) return short
    if (short > 27) throw new SyntaxError('an indefinite length')
    const argument = this.#unsigned(1 << (short - 24))
    if (argument < LEAST[short - 24]! || argument > Number.MAX_SAFE_INTEGER) {
      throw new SyntaxError('a number that is not written in its shortest form, or not safe')
    }
    return argument
  }
}

/** The least arguments that need 1, 2, 4 and 8 bytes. */
const LEAST = [24, 0x100, 0x10000, 0x100000000]

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength)

/** A float of this many bytes, if it needs them: whole numbers are integers, and it does not fit into fewer. */
function shortest(number: number, bytes: number): number {
  const isTooLong = (bytes > 4 && Math.fround(number) === number) || (bytes > 2 && isHalf(number))
  if (!Number.isFinite(number) || Number.isSafeInteger(number) || isTooLong) {
    throw new SyntaxError('a number that is not written in its shortest form, or none')
  }
  return number
}

/** Whether half precision holds a finite number: 11 significant bits, from 2^-24 up to 65504. */
function isHalf(number: number): boolean {
  const size = Math.abs(number)
  if (size > 65_504 || Math.fround(number) !== number) return false
  const step = 2 ** Math.max(Math.floor(Math.log2(size)) - 10, -24)
  return Number.isInteger(size / step)
}

function numberOfHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >>> 10) & 31
  const mantissa = half & 0x3ff
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : Number.NaN
  if (exponent === 0) return sign * mantissa * 2 ** -24
  return sign * (1024 + mantissa) * 2 ** (exponent - 25)
}
