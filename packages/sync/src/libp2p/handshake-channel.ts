import { limits, PeerplaneError, type Channel } from '@peerplane/core'
import type { MessageStream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'

import { encodeFrames, FrameDecoder } from './frame-codec.ts'
import { CONNECTS_AGAIN } from './path.ts'

/** Who talks over a handshake channel. */
export type Ends = Pick<Channel, 'localPeer' | 'remotePeer' | 'initiator'>

interface Waiting {
  readonly resolve: (frame: Uint8Array) => void
  readonly reject: (error: Error) => void
}

/**
 * Frames over an encrypted connection that carries nothing else yet. Nothing is cut into frames before it is asked for: bytes behind the
 * last frame of the handshake belong to the protocol that takes over after `release`.
 */
export class HandshakeChannel implements Channel {
  readonly localPeer: string
  readonly remotePeer: string
  readonly initiator: boolean
  readonly recognized: () => void
  readonly #stream: MessageStream
  readonly #signal: AbortSignal | undefined
  readonly #decoder = new FrameDecoder(limits.handshakeBytes)
  #waiting: Waiting | undefined
  #failed: PeerplaneError | undefined

  constructor(
    stream: MessageStream,
    ends: Ends,
    signal: AbortSignal | undefined,
    recognized: () => void = () => {},
  ) {
    this.recognized = recognized
    this.#stream = stream
    this.localPeer = ends.localPeer
    this.remotePeer = ends.remotePeer
    this.initiator = ends.initiator
    this.#signal = signal
    stream.addEventListener('message', this.#received)
    stream.addEventListener('close', this.#ended)
    signal?.addEventListener('abort', this.#timedOut)
    if (stream.status !== 'open') {
      this.#fail(new PeerplaneError('closed', 'The connection ended before the handshake'))
    }
  }

  // Promises are made and failures become rejections.
  async send(frame: Uint8Array): Promise<void> {
    if (this.#failed) throw this.#failed
    if (frame.length > limits.handshakeBytes) {
      throw new PeerplaneError('too-large', `A handshake message of ${frame.length} bytes`)
    }
    this.#stream.send(encodeFrames([frame]))
    await Promise.resolve()
  }

  async receive(): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#offer()
    })
  }

  /** Lets go of the connection; what was read too far is given back to it. */
  release(): void {
    this.#stream.removeEventListener('message', this.#received)
    this.#stream.removeEventListener('close', this.#ended)
    this.#signal?.removeEventListener('abort', this.#timedOut)
    const rest = this.#decoder.rest()
    if (rest.length > 0 && !this.#failed) this.#stream.unshift(rest)
    this.#failed ??= new PeerplaneError('closed', 'The handshake is over', {
      advice: CONNECTS_AGAIN,
    })
  }

  readonly #received = (event: StreamMessageEvent): void => {
    if (this.#failed) return
    this.#decoder.push(event.data.subarray())
    this.#offer()
    // Twice: a whole message, and what an admitted peer sends right after its last one.
    if (this.#decoder.held > 2 * limits.handshakeBytes) {
      this.#fail(new PeerplaneError('too-large', 'A peer sent too much before it was admitted'))
    }
  }

  readonly #ended = (event: StreamCloseEvent): void => {
    this.#fail(
      new PeerplaneError('closed', 'The peer ended the connection in the handshake', {
        advice: CONNECTS_AGAIN,
        cause: event.error,
      }),
    )
  }

  readonly #timedOut = (): void => {
    this.#fail(
      new PeerplaneError('timeout', 'The handshake took too long', { advice: CONNECTS_AGAIN }),
    )
  }

  #offer(): void {
    const waiting = this.#waiting
    if (!waiting) return
    if (this.#failed) {
      waiting.reject(this.#failed)
      return
    }
    try {
      const token = this.#decoder.next()
      if (!token) return
      if (token.kind === 'credit') {
        throw new PeerplaneError('malformed', 'A peer sent a credit in the handshake')
      }
      this.#waiting = undefined
      waiting.resolve(token.payload)
    } catch (error) {
      this.#fail(error instanceof PeerplaneError ? error : new PeerplaneError('malformed', 'frame'))
    }
  }

  #fail(error: PeerplaneError): void {
    this.#failed ??= error
    this.#waiting?.reject(this.#failed)
    this.#waiting = undefined
  }
}
