import type { Identity, NetworkHandler, Path, PeerplaneError, Scheduler } from '@peerplane/core'
import type { Connection, Stream } from '@libp2p/interface'

import type { BytePool } from '../bounds/byte-pool.ts'
import { closeConnection, PeerLink } from './peer-link.ts'

/** A superseded link may take this long to deliver what is in flight. */
const RETIRE_MS = 5_000

const RANK: Record<Path, number> = { relay: 0, anchor: 1, direct: 1, webrtc: 1 }

/** What a link table works with. */
export interface LinksOptions {
  readonly localPeer: string
  /** Bytes that wait in all links. */
  readonly pool: BytePool
  readonly handler: Pick<NetworkHandler, 'connected' | 'disconnected' | 'frame'>
  readonly scheduler: Scheduler
  /** A link has come into use. */
  readonly opened: (link: PeerLink) => void
  /** The last link to the peer is gone. */
  readonly lost: (peer: string) => void
  /** A link broke. */
  readonly failed: (error: PeerplaneError, link: PeerLink) => void
}

/** The links of this peer: at most one in use per remote peer. */
export class Links {
  readonly #options: LinksOptions
  readonly #current = new Map<string, PeerLink>()

  constructor(options: LinksOptions) {
    this.#options = options
  }

  /** The link in use. */
  get(peer: string): PeerLink | undefined {
    return this.#current.get(peer)
  }

  /** All links in use. */
  all(): PeerLink[] {
    return [...this.#current.values()]
  }

  /** Takes a stream as a link, unless the link in use is the one that both ends prefer. */
  add(connection: Connection, stream: Stream, identity: Identity, path: Path): void {
    const before = this.#current.get(connection.remotePeer.toString())
    if (before && !this.#supersedes(connection, path, before)) {
      void closeConnection(connection)
      return
    }
    const link = new PeerLink(connection, stream, identity, path, {
      pool: this.#options.pool,
      scheduler: this.#options.scheduler,
      frame: async (from, frame) => this.#options.handler.frame(from, frame),
      closed: (from, error) => this.#closed(from, error),
    })
    this.#current.set(link.peer, link)
    this.#options.handler.connected(link)
    this.#options.opened(link)
    if (before) this.#retire(before)
  }

  /** Closes the link over a connection that has to go. */
  giveUp(connection: Connection): void {
    const link = this.#current.get(connection.remotePeer.toString())
    if (link?.connection === connection) link.close('the place is needed')
  }

  /** Closes all links. */
  closeAll(reason: string): void {
    for (const link of this.all()) link.close(reason)
  }

  /**
   * Both ends decide alike. Who asks for a second connection has a reason to: a better path, or the first one is dead. If both ends have
   * asked, the better path wins, and of equal ones that of the smaller id.
   */
  #supersedes(connection: Connection, path: Path, before: PeerLink): boolean {
    if (connection.direction === before.connection.direction) return true
    if (RANK[path] !== RANK[before.path]) return RANK[path] > RANK[before.path]
    const initiator = connection.direction === 'outbound'
    return initiator === this.#options.localPeer < before.peer
  }

  #retire(link: PeerLink): void {
    link.retire()
    this.#options.scheduler.after(RETIRE_MS, () => link.close('superseded'))
  }

  #closed(link: PeerLink, error: PeerplaneError | undefined): void {
    const inUse = this.#current.get(link.peer) === link
    if (inUse) this.#current.delete(link.peer)
    if (error && error.code !== 'closed') this.#options.failed(error, link)
    this.#options.handler.disconnected(link)
    if (inUse) this.#options.lost(link.peer)
  }
}
