import { limits, PeerplaneError } from '@peerplane/core'

/*
 * What a link stream carries, one after another:
 *
 *   0 length:31  payload   a frame
 *   1 bytes:31             credit: the receiver has processed so much, as counted by `frameCost`, and takes that much more
 *
 * Credits exist because a WebRTC data channel cannot tell its sender to wait.
 */

/** Bytes before the payload of a frame. */
const HEADER_BYTES = 4

const CREDIT = 0x8000_0000

/** Counted for a frame beyond its payload, so that empty frames are not free. */
const FRAME_OVERHEAD_BYTES = 64

/** One part of the stream of a link: a frame or a credit. */
export type Token =
  | { readonly kind: 'frame'; readonly payload: Uint8Array }
  | { readonly kind: 'credit'; readonly bytes: number }

/** Returns how many bytes of the window of a link a frame with `length` payload bytes takes. */
export const frameCost = (length: number): number => length + FRAME_OVERHEAD_BYTES

/**
 * Encodes the header of a frame with `value` payload bytes. If `credit` is true, encodes a credit, which permits the peer to send `value` more bytes.
 */
export function encodeHeader(value: number, credit = false): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES)
  new DataView(header.buffer).setUint32(0, credit ? (value | CREDIT) >>> 0 : value)
  return header
}

/** Returns the headers and payloads of several frames as one piece. */
export function encodeFrames(payloads: readonly Uint8Array[]): Uint8Array {
  const total = payloads.reduce((sum, payload) => sum + HEADER_BYTES + payload.length, 0)
  const encoded = new Uint8Array(total)
  let at = 0
  for (const payload of payloads) {
    encoded.set(encodeHeader(payload.length), at)
    encoded.set(payload, at + HEADER_BYTES)
    at += HEADER_BYTES + payload.length
  }
  return encoded
}

/** Cuts a stream of bytes into tokens. A decoder buffers only the bytes that were pushed and not yet taken. */
export class FrameDecoder {
  readonly #maxFrameBytes: number
  #chunks: Uint8Array[] = []
  #held = 0
  #header: number | undefined

  constructor(maxFrameBytes: number = limits.frameBytes) {
    this.#maxFrameBytes = maxFrameBytes
  }

  /** The number of bytes that were pushed and not yet taken. */
  get held(): number {
    return this.#held
  }

  /** Adds bytes from the stream; they must not change afterwards. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#held += chunk.length
  }

  /** Returns the next token if all its bytes have arrived. The bytes of the token are a copy. Throws `too-large`. */
  next(): Token | undefined {
    if (this.#header === undefined) {
      if (this.#held < HEADER_BYTES) return undefined
      this.#header = new DataView(this.#take(HEADER_BYTES).buffer).getUint32(0)
    }
    const value = this.#header & ~CREDIT
    if (this.#header >= CREDIT) {
      this.#header = undefined
      return { kind: 'credit', bytes: value }
    }
    if (value > this.#maxFrameBytes) {
      throw new PeerplaneError('too-large', `A peer sent a frame of ${value} bytes`)
    }
    if (this.#held < value) return undefined
    this.#header = undefined
    return { kind: 'frame', payload: this.#take(value) }
  }

  /** Takes all bytes that do not belong to a token yet. */
  rest(): Uint8Array {
    return this.#take(this.#held)
  }

  #take(length: number): Uint8Array {
    const taken = new Uint8Array(length)
    let filled = 0
    let used = 0
    while (filled < length) {
      const chunk = this.#chunks[used]
      if (!chunk) throw new RangeError('fewer bytes are held than were asked for')
      const part = chunk.subarray(0, length - filled)
      taken.set(part, filled)
      filled += part.length
      if (part.length === chunk.length) used += 1
      else this.#chunks[used] = chunk.subarray(part.length)
    }
    this.#chunks = this.#chunks.slice(used)
    this.#held -= length
    return taken
  }
}
