import {
  PeerplaneError,
  type Identity,
  type Link,
  type Path,
  type Scheduler,
} from '@peerplane/core'
import type { Connection, Stream } from '@libp2p/interface'

import type { BytePool } from '../bounds/byte-pool.ts'
import { FrameStream } from './frame-stream.ts'
import { CONNECTS_AGAIN } from './path.ts'

/** What a link calls. */
export interface PeerLinkHandler {
  readonly pool: BytePool
  readonly scheduler: Scheduler
  frame(link: PeerLink, frame: Uint8Array): Promise<void>
  /** The link and its connection are gone. Called once. */
  closed(link: PeerLink, error: PeerplaneError | undefined): void
}

/** A peer may take this long to take the last frame of a link. */
const LEAVE_MS = 1_000

/** A link over one libp2p connection. The two live and die together, so that neither end keeps a connection the other has given up. */
export class PeerLink implements Link {
  readonly id: string
  readonly peer: string
  readonly identity: Identity
  readonly path: Path
  readonly connection: Connection
  readonly #frames: FrameStream
  readonly #scheduler: Scheduler

  constructor(
    connection: Connection,
    stream: Stream,
    identity: Identity,
    path: Path,
    handler: PeerLinkHandler,
  ) {
    this.id = connection.id
    this.peer = connection.remotePeer.toString()
    this.identity = identity
    this.path = path
    this.connection = connection
    this.#scheduler = handler.scheduler
    this.#frames = new FrameStream(stream, {
      pool: handler.pool,
      frame: async (frame) => handler.frame(this, frame),
      closed: (error) => {
        handler.closed(this, error)
        void closeConnection(connection)
      },
    })
  }

  async send(frame: Uint8Array): Promise<void> {
    await this.#frames.send(frame)
  }

  close(reason: string, last?: Uint8Array): void {
    const close = (): void =>
      this.#frames.close(new PeerplaneError('closed', reason, { advice: CONNECTS_AGAIN }))
    if (!last) return close()
    this.#frames.leave(last)
    this.#scheduler.after(LEAVE_MS, close)
  }

  /** Sends what is queued and still takes what the peer has in flight; the link ends when both sides have done so. */
  retire(): void {
    this.#frames.retire()
  }
}

/** Closes a connection in order, which flushes what has been written, or by force where that fails. */
export async function closeConnection(connection: Connection): Promise<void> {
  try {
    await connection.close()
  } catch {
    // Ignored: what is left is to end it by force.
    connection.abort(
      new PeerplaneError('closed', 'The connection was closed', { advice: CONNECTS_AGAIN }),
    )
  }
}
