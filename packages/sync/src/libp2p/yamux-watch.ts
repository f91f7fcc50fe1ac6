import { limits, type Refusal } from '@peerplane/core'

import { Rate } from '../bounds/rate.ts'

/** The part of a stream that says whether it is in use. */
export interface WatchedStream {
  readonly id: string
  /** Empty until both sides have agreed on it. */
  readonly protocol: string
}

const HEADER_BYTES = 12
const DATA = 0
const PING = 2
const SYN = 1

/**
 * Reads along what a peer sends to the multiplexer, before that does. The multiplexer collects a frame of any announced length, answers every
 * ping, and lets streams wait full that never say what they are for.
 */
export class YamuxWatch {
  readonly #streams: () => readonly WatchedStream[]
  readonly #pings: Rate
  readonly #opened: Rate
  readonly #header = new Uint8Array(HEADER_BYTES)
  readonly #view = new DataView(this.#header.buffer)
  /** Bytes that came over streams that had not said what they are for when last looked at. */
  readonly #young = new Map<number, number>()
  #filled = 0
  #skip = 0

  /** `now` gives milliseconds that never go back. */
  constructor(streams: () => readonly WatchedStream[], now: () => number) {
    this.#streams = streams
    this.#pings = new Rate({
      perSecond: limits.pingsPerSecond,
      burst: 10 * limits.pingsPerSecond,
      now,
    })
    this.#opened = new Rate({ perSecond: limits.streamsPerSecond, burst: limits.streams, now })
  }

  /** Which rule the next bytes break; the connection is to be closed then. */
  read(bytes: Uint8Array): Refusal | undefined {
    let at = 0
    while (at < bytes.length) {
      if (this.#skip > 0) {
        const passed = Math.min(this.#skip, bytes.length - at)
        this.#skip -= passed
        at += passed
        continue
      }
      const part = bytes.subarray(at, at + HEADER_BYTES - this.#filled)
      this.#header.set(part, this.#filled)
      this.#filled += part.length
      at += part.length
      if (this.#filled < HEADER_BYTES) return undefined
      this.#filled = 0
      const broken = this.#judge()
      if (broken) return broken
    }
    return undefined
  }

  #judge(): Refusal | undefined {
    const type = this.#header[1]
    const opens = (this.#view.getUint16(2) & SYN) !== 0
    const stream = this.#view.getUint32(4)
    const length = this.#view.getUint32(8)
    if (type === PING) return opens && !this.#pings.take() ? 'flood' : undefined
    if (opens) {
      if (!this.#opened.take()) return 'flood'
      this.#begin(stream)
    }
    if (type !== DATA) return undefined
    if (length > limits.streamWindowBytes) return 'oversized'
    this.#skip = length
    return this.#isTooMuch(stream, length) ? 'flood' : undefined
  }

  #begin(stream: number): void {
    this.#young.set(stream, 0)
    if (this.#young.size > 2 * limits.streams) this.#forget(() => true)
  }

  #isTooMuch(stream: number, length: number): boolean {
    const before = this.#young.get(stream)
    if (before === undefined) return false
    this.#young.set(stream, before + length)
    if (this.#youngBytes() <= limits.youngStreamBytes) return false
    this.#forget(({ protocol }) => protocol === '')
    return this.#youngBytes() > limits.youngStreamBytes
  }

  #youngBytes(): number {
    return [...this.#young.values()].reduce((sum, bytes) => sum + bytes, 0)
  }

  /** Keeps only those that are there and are still to be counted. */
  #forget(counts: (stream: WatchedStream) => boolean): void {
    const kept = new Set(
      this.#streams()
        .filter(counts)
        .map(({ id }) => Number(id)),
    )
    for (const id of this.#young.keys()) if (!kept.has(id)) this.#young.delete(id)
  }
}
