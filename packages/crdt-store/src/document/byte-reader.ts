import { PeerplaneError } from '@peerplane/core'

/** Reads the numbers of Automerge's binary format (LEB128). Every method throws `void` if the bytes end or a number is out of range. */
export class ByteReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** How many bytes are not read yet. */
  get left(): number {
    return this.#bytes.length - this.#at
  }

  byte(): number {
    if (this.left < 1) throw broken()
    return this.#bytes[this.#at++]!
  }

  take(length: number): Uint8Array {
    if (length > this.left) throw broken()
    return this.#bytes.subarray(this.#at, (this.#at += length))
  }

  /** A whole number from 0 to 2^53 - 1. */
  unsigned(): number {
    let value = 0
    for (let scale = 1; scale < 2 ** 53; scale *= 128) {
      const byte = this.byte()
      value += (byte & 127) * scale
      if (byte < 128) return inRange(value)
    }
    throw broken()
  }

  /** A whole number from -(2^53 - 1) to 2^53 - 1. */
  signed(): number {
    let value = 0
    for (let scale = 1; scale < 2 ** 53; scale *= 128) {
      const byte = this.byte()
      value += (byte & 127) * scale
      if (byte < 128) return inRange(byte & 64 ? value - scale * 128 : value)
    }
    throw broken()
  }

  /** An unsigned number of at most `max`: how many items follow. */
  count(max: number): number {
    const value = this.unsigned()
    if (value > max) throw new PeerplaneError('void', `a change holds ${value} items, not ${max}`)
    return value
  }
}

function inRange(value: number): number {
  if (!Number.isSafeInteger(value)) throw broken()
  return value
}

const broken = (): PeerplaneError =>
  new PeerplaneError('void', 'a change of a document ends or counts where it may not')
