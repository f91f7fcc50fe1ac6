import { asPeerplaneError, limits, PeerplaneError } from '@peerplane/core'
import type { Stream } from '@libp2p/interface'

import type { BytePool, Holder } from '../bounds/byte-pool.ts'
import { encodeFrames, encodeHeader, frameCost, FrameDecoder } from './frame-codec.ts'
import { CONNECTS_AGAIN } from './path.ts'

/** Frames that wait together leave as one piece of about this size. */
const COALESCE_BYTES = 64 * 1024

/** What a frame stream calls. */
export interface FrameHandler {
  /** Counts what waits here with what waits elsewhere. */
  readonly pool: BytePool
  /** A frame has come. Frames are handed over one at a time; the promise is the backpressure. */
  frame(frame: Uint8Array): Promise<void>
  /** Nothing more will come or leave; `error` is missing when the other side ended in order. Called once. */
  closed(error: PeerplaneError | undefined): void
}

interface Outgoing {
  readonly frame: Uint8Array
  readonly taken: () => void
}

/**
 * Ordered frames over one libp2p stream, with backpressure in both directions.
 *
 * A sender stops when the transport is full, or when `limits.linkWindowBytes` have left that the peer has not processed. A peer that sends
 * more than that is cut off with `overloaded`, one that sends a frame beyond `limits.frameBytes` with `too-large`.
 */
export class FrameStream implements Holder {
  readonly #stream: Stream
  readonly #handler: FrameHandler
  readonly #decoder = new FrameDecoder()
  readonly #outgoing: Outgoing[] = []
  readonly #incoming: Uint8Array[] = []
  /** Cost of frames that have left and are not processed yet. */
  #outstanding = 0
  /** Cost of frames that have come and are not credited yet. */
  #uncredited = 0
  /** The part of it that is processed. */
  #processed = 0
  /** Bytes of frames that have come and are not processed. */
  #queued = 0
  #sending = false
  #delivering = false
  #ending = false
  #leaving = false
  #closed = false
  #remoteClosed: { readonly error: PeerplaneError | undefined } | undefined
  #wake: () => void = () => {}

  constructor(stream: Stream, handler: FrameHandler) {
    this.#stream = stream
    this.#handler = handler
    stream.addEventListener('message', (event) => this.#received(event.data.subarray()))
    stream.addEventListener('drain', () => {
      this.#count()
      this.#wake()
    })
    stream.addEventListener('remoteCloseWrite', () => this.retire())
    stream.addEventListener('close', (event) => {
      const { error } = event
      this.#remoteClosed = { error: error && asPeerplaneError(error, 'closed') }
      if (error || !this.#delivering) this.#finish(this.#remoteClosed.error)
    })
  }

  /** Queues one frame; resolves when the transport has taken it, or when the stream is closed. */
  async send(frame: Uint8Array): Promise<void> {
    if (this.#closed || this.#ending) return
    if (frame.length > limits.frameBytes) {
      this.close(new PeerplaneError('too-large', `A frame of ${frame.length} bytes was to be sent`))
      return
    }
    await new Promise<void>((taken) => {
      this.#outgoing.push({ frame, taken })
      if (!this.#sending) void this.#sendAll()
    })
  }

  /** Sends what is queued, then tells the peer that nothing more will come; frames of the peer are still handed over. */
  retire(): void {
    if (this.#ending || this.#closed) return
    this.#ending = true
    if (!this.#sending) void this.#sendAll()
  }

  /** Sends one last frame instead of what is queued, and takes nothing from then on. The stream ends when the peer has ended it, too. */
  leave(last: Uint8Array): void {
    if (this.#closed || this.#leaving) return
    this.#leaving = true
    this.#ending = true
    this.#incoming.length = 0
    for (const { taken } of this.#outgoing.splice(0)) taken()
    if (this.#stream.writeStatus !== 'writable') return
    this.#stream.send(encodeFrames([last]))
    this.#stream.close().catch((error: unknown) => this.close(asPeerplaneError(error, 'closed')))
  }

  /** Closes at once, in both directions; `error` goes to `closed`. */
  close(error: PeerplaneError | undefined): void {
    if (this.#closed) return
    this.#finish(error)
    this.#stream.abort(
      error ?? new PeerplaneError('closed', 'The link was closed', { advice: CONNECTS_AGAIN }),
    )
  }

  async #sendAll(): Promise<void> {
    this.#sending = true
    // Frames of the same turn leave together.
    await Promise.resolve()
    try {
      while (this.#outgoing.length > 0 && !this.#closed) {
        await this.#writable()
        if (this.#closed || this.#leaving) break
        this.#sendSome()
      }
      if (this.#ending && !this.#closed && !this.#leaving) await this.#stream.close()
    } catch (error) {
      this.close(asPeerplaneError(error, 'closed'))
    } finally {
      this.#sending = false
    }
  }

  #sendSome(): void {
    const batch: Outgoing[] = []
    let bytes = 0
    while (bytes < COALESCE_BYTES && this.#outstanding < limits.linkWindowBytes) {
      const next = this.#outgoing.shift()
      if (!next) break
      batch.push(next)
      bytes += next.frame.length
      this.#outstanding += frameCost(next.frame.length)
    }
    this.#stream.send(encodeFrames(batch.map(({ frame }) => frame)))
    this.#count()
    for (const { taken } of batch) taken()
  }

  async #writable(): Promise<void> {
    // Not `stream.onDrain()`: it waits only the first time it is called.
    while (
      !this.#closed &&
      (this.#stream.writableNeedsDrain || this.#outstanding >= limits.linkWindowBytes)
    ) {
      await new Promise<void>((wake) => {
        this.#wake = wake
      })
    }
  }

  #received(chunk: Uint8Array): void {
    if (this.#closed || this.#leaving) return
    this.#decoder.push(chunk)
    try {
      for (let token = this.#decoder.next(); token; token = this.#decoder.next()) {
        if (token.kind === 'credit') this.#credited(token.bytes)
        else this.#queue(token.payload)
      }
    } catch (error) {
      this.close(asPeerplaneError(error, 'malformed'))
      return
    }
    this.#count()
    if (!this.#delivering && this.#incoming.length > 0) void this.#deliver()
  }

  giveUp(): void {
    this.close(new PeerplaneError('overloaded', 'Too much waits in the links of all peers'))
  }

  /** What the peer has made wait here. */
  #count(): void {
    if (this.#closed) return
    const bytes = this.#decoder.held + this.#queued + this.#stream.writeBufferLength
    this.#handler.pool.set(this, bytes)
  }

  #credited(bytes: number): void {
    if (bytes > this.#outstanding) {
      throw new PeerplaneError('malformed', 'A peer acknowledged more than was sent')
    }
    this.#outstanding -= bytes
    this.#wake()
  }

  #queue(frame: Uint8Array): void {
    if (this.#uncredited >= limits.linkWindowBytes) {
      throw new PeerplaneError('overloaded', 'A peer sent more than the window of the link')
    }
    this.#uncredited += frameCost(frame.length)
    this.#incoming.push(frame)
    this.#queued += frame.length
  }

  async #deliver(): Promise<void> {
    this.#delivering = true
    for (let next = this.#incoming.shift(); next && !this.#closed; next = this.#incoming.shift()) {
      await this.#handler.frame(next)
      this.#queued -= next.length
      this.#count()
      this.#credit(frameCost(next.length))
    }
    this.#delivering = false
    if (this.#remoteClosed) this.#finish(this.#remoteClosed.error)
  }

  #credit(cost: number): void {
    this.#processed += cost
    if (this.#processed < limits.linkWindowBytes / 2) return
    const bytes = this.#processed
    this.#processed = 0
    this.#uncredited -= bytes
    if (this.#closed || this.#stream.writeStatus !== 'writable') return
    this.#stream.send(encodeHeader(bytes, true))
  }

  #finish(error: PeerplaneError | undefined): void {
    if (this.#closed) return
    this.#closed = true
    this.#incoming.length = 0
    this.#handler.pool.set(this, 0)
    this.#wake()
    for (const { taken } of this.#outgoing.splice(0)) taken()
    this.#handler.closed(error)
  }
}
