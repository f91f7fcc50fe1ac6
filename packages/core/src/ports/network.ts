import type { DeviceId } from '../ids.ts'
import type { Extensions } from '../log/extensions.ts'

/** How two peers are connected: `anchor` if one of them is an anchor, otherwise `webrtc`, `direct` (TCP or WebSocket without a relay) or `relay`. */
export type Path = 'anchor' | 'webrtc' | 'direct' | 'relay'

/** What a device speaks. */
export interface Protocol {
  /** The versions of the protocol that the device speaks: all from `lowest` to `highest`. */
  readonly lowest: number
  readonly highest: number
  /** What else the device can do (odd keys), and what its peers must understand (even keys). */
  readonly capabilities?: Extensions
}

/** A reliable channel for ordered frames to one peer that has not proved membership yet. */
export interface Channel {
  /** Network ids of the two peers, which the transport has authenticated. */
  readonly localPeer: string
  readonly remotePeer: string
  /** Whether this side opened the connection. */
  readonly initiator: boolean
  /** The handshake calls this when the peer has proved that it knows the secret of a space: a place for it no longer has to be shared with strangers. */
  recognized(): void
  /** Sends one frame. Rejects when the channel is closed. */
  send(frame: Uint8Array): Promise<void>
  /** Waits for the next frame. Rejects if the channel is closed before a frame arrives. */
  receive(): Promise<Uint8Array>
}

/** The identity that a peer has proved in the handshake. */
export interface Identity {
  readonly device: DeviceId
  readonly anchor: boolean
}

/**
 * A channel for ordered frames to an admitted peer, over one path. At most one link per peer is in use. When a better path is found, a new link
 * replaces the old one.
 */
export interface Link {
  /** An id that is unique in this process. */
  readonly id: string
  /** Network id of the remote peer. */
  readonly peer: string
  readonly identity: Identity
  readonly path: Path
  /**
   * Queues one frame of at most `limits.frameBytes`. Resolves when the transport can take the next frame. Frames arrive in order, or the link closes.
   * Never rejects. A closed link drops frames; `disconnected` has already reported that the link is closed.
   */
  send(frame: Uint8Array): Promise<void>
  /**
   * Closes the link. `reason` appears only in the log of this device. The link sends the frame `last` before it closes, instead of what is
   * queued, and takes nothing from then on.
   */
  close(reason: string, last?: Uint8Array): void
}

/** A peer that another peer has introduced. */
export interface PeerHint {
  readonly peer: string
  /** Multiaddresses at which the peer may be reachable. The list is empty if the peer is reachable only through the peer that introduced it. */
  readonly addresses: readonly string[]
}

/**
 * Why a connection was refused or cut off.
 *
 * - `no-room`: all connections are in use, and the device or the address with the most connections loses one
 * - `address`: too many connections from one address
 * - `device`: too many links of one device, or the device is shut out
 * - `stranger`: the peer did not prove that it is a member
 * - `silent`: the handshake took too long
 * - `oversized`: a message was larger than its limit
 * - `garbage`: the peer sent gossip that no member wrote, or bytes that break the protocol
 * - `flood`: the peer sent more data than may wait, or more per second than is accepted
 */
export const refusals = [
  'no-room',
  'address',
  'device',
  'stranger',
  'silent',
  'oversized',
  'garbage',
  'flood',
] as const

/** Why a connection was refused or cut off. */
export type Refusal = (typeof refusals)[number]

/** The functions that a network calls. These functions never throw. */
export interface NetworkHandler {
  /**
   * Runs the handshake. Resolves with the identity that the peer has proved. If it rejects, the network closes the connection.
   */
  authenticate(channel: Channel): Promise<Identity>
  /** A link is ready. The new link replaces any earlier link to the same peer, which will be reported as disconnected. */
  connected(link: Link): void
  /** A frame has arrived over a link. For backpressure, the network reads the next frame only after the promise has resolved. */
  frame(link: Link, frame: Uint8Array): Promise<void>
  /** A link has closed. */
  disconnected(link: Link): void
  /**
   * An announcement has arrived by gossip from an admitted neighbour, which need not be its author. Returns whether a member wrote the announcement.
   * The network does not forward an announcement that no member wrote, and counts it against the neighbour.
   */
  announcement(payload: Uint8Array): boolean
}

/** The status of the network, for people. No decision depends on this status. */
export interface NetworkStatus {
  readonly started: boolean
  /** All open transport connections, including connections to peers that are not admitted yet. */
  readonly connections: readonly { readonly peer: string; readonly path: Path }[]
  /** The reason why the last attempt to reach a configured address failed. */
  readonly lastError: string | undefined
  /** Connections that were refused or closed since the start, counted by reason. Reasons that never occurred are absent. */
  readonly refused: Readonly<Partial<Record<Refusal, number>>>
}

/**
 * The connections to other peers. A network dials, redials with backoff, and upgrades links to better paths. A network admits only peers that prove
 * membership in the handshake.
 */
export interface Network {
  /** The network id of this peer, which is new in each process. */
  readonly localPeer: string
  /** Begins to listen and to dial. `start` may be called again after `stop`. */
  start(handler: NetworkHandler): Promise<void>
  /** Closes all connections. The network dials nothing until the next `start`. */
  stop(): Promise<void>
  /** Sends `payload` to all members by gossip, at most `limits.announcementBytes`. The announcement may get lost. */
  announce(payload: Uint8Array): void
  /** Tells the network about peers that the admitted peer `via` has introduced. The network may connect to these peers. */
  introduce(via: string, peers: readonly PeerHint[]): void
  /** Returns the multiaddresses at which other peers can reach this peer. */
  addresses(): readonly string[]
  status(): NetworkStatus
}
