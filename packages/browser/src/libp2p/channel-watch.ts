import { limits, type Refusal } from '@peerplane/core'

const MORE = 0x80
/** Seven bits each: enough for any length, few enough for exact numbers. */
const LENGTH_BYTES = 7

/**
 * Reads along what comes over one data channel, before the stream does: messages with their lengths before them, cut anywhere. The stream
 * collects 4 MiB for one message, and all that comes after a longer one.
 */
export class ChannelWatch {
  /** Bytes that are left of a message. */
  #left = 0
  #length = 0
  #lengthBytes = 0
  #young = 0

  /** Which rule the next bytes break; `isYoung` says that nobody knows yet what the channel is for. */
  read(bytes: Uint8Array, isYoung: boolean): Refusal | undefined {
    this.#young = isYoung ? this.#young + bytes.length : 0
    if (this.#young > limits.youngStreamBytes) return 'flood'
    let at = 0
    while (at < bytes.length) {
      if (this.#left > 0) {
        const passed = Math.min(this.#left, bytes.length - at)
        this.#left -= passed
        at += passed
      } else if (!this.#measure(bytes[at++]!)) return 'oversized'
    }
    return undefined
  }

  /** Takes a byte of a length; whether a message may be so long. */
  #measure(byte: number): boolean {
    this.#length += (byte & (MORE - 1)) * MORE ** this.#lengthBytes
    this.#lengthBytes += 1
    if (this.#length > limits.webRtcBytes) return false
    if ((byte & MORE) !== 0) return this.#lengthBytes < LENGTH_BYTES
    this.#left = this.#length
    this.#length = 0
    this.#lengthBytes = 0
    return true
  }
}
