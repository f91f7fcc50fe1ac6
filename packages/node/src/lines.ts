import type { Socket } from 'node:net'

import {
  asPeerplaneError,
  concatBytes,
  fromUtf8,
  limits,
  PeerplaneError,
  utf8,
} from '@peerplane/core'
import { systemScheduler } from '@peerplane/runtime'
import type { BytePool, Holder } from '@peerplane/sync'

const LINE_END = 10

/** How long a line that is sent may be, and where what waits to be sent is counted. */
interface Sent {
  readonly maxBytes: number
  readonly pool?: BytePool
}

/** Lines of JSON over a socket, both ways. */
export class Lines implements Holder {
  readonly #socket: Socket
  readonly #maxBytes: number
  readonly #sent: Sent
  #received: Uint8Array[] = []
  #size = 0
  #cancel = (): void => {}

  /** The longest lines that are taken and sent. */
  constructor(socket: Socket, taken: { readonly maxBytes: number }, sent: Sent) {
    this.#socket = socket
    this.#maxBytes = taken.maxBytes
    this.#sent = sent
    socket.on('close', () => sent.pool?.set(this, 0))
  }

  /** Throws `too-large`. Cuts off a peer that does not read what it has asked for. */
  send(message: unknown): void {
    if (!this.#socket.writable) return
    const line = utf8(`${JSON.stringify(message)}\n`)
    const { maxBytes } = this.#sent
    if (line.length > maxBytes) throw tooLarge(maxBytes)
    if (this.#socket.writableLength > maxBytes) return this.giveUp()
    this.#socket.write(line, () => this.#count())
    this.#count()
  }

  /** Cuts the other side off: too much waits for it. */
  giveUp(): void {
    this.#socket.destroy()
    this.#sent.pool?.set(this, 0)
  }

  /**
   * Calls `take` with each line. `fail` is called once, with `too-large`, `malformed`, whatever `take` throws, or `timeout` when a line that has
   * begun does not end within `limits.controlMs`, or the other side is gone; nothing is taken from then on.
   */
  listen(take: (line: unknown) => void, fail: (error: PeerplaneError) => void): void {
    let failed = false
    const end = (error: unknown): void => {
      this.#cancel()
      if (failed) return
      failed = true
      this.#received = []
      fail(asPeerplaneError(error, 'malformed'))
    }
    this.#socket.on('data', (chunk: Uint8Array) => {
      if (failed) return
      try {
        this.#take(chunk, take, end)
      } catch (error) {
        end(error)
      }
    })
    this.#socket.on('error', () => {
      // Its end follows.
    })
    this.#socket.on('close', () => {
      const advice = 'The daemon ended meanwhile, or serves too many requests: try again.'
      end(new PeerplaneError('timeout', 'the socket was closed', { advice }))
    })
  }

  #take(chunk: Uint8Array, take: (line: unknown) => void, end: (error: unknown) => void): void {
    let rest = chunk
    for (let at = rest.indexOf(LINE_END); at >= 0; at = rest.indexOf(LINE_END)) {
      const line = concatBytes(...this.#received, rest.subarray(0, at))
      this.#begin()
      rest = rest.subarray(at + 1)
      if (line.length > this.#maxBytes) throw tooLarge(this.#maxBytes)
      take(JSON.parse(fromUtf8(line)))
    }
    if (rest.length === 0) return
    this.#received.push(rest)
    this.#size += rest.length
    if (this.#size > this.#maxBytes) throw tooLarge(this.#maxBytes)
    if (this.#received.length > 1) return
    this.#cancel = systemScheduler.after(limits.controlMs, () =>
      end(
        new PeerplaneError('timeout', 'no complete line came over the socket', {
          advice: 'The daemon is busy or stopped: try again, or restart it.',
        }),
      ),
    )
  }

  #count(): void {
    if (!this.#socket.destroyed) this.#sent.pool?.set(this, this.#socket.writableLength)
  }

  #begin(): void {
    this.#cancel()
    this.#received = []
    this.#size = 0
  }
}

const tooLarge = (maxBytes: number): PeerplaneError =>
  new PeerplaneError('too-large', `a line is longer than ${maxBytes} bytes`)
