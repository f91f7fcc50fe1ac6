import type { DeviceId } from '../ids.ts'
import type { Extensions } from '../log/extensions.ts'

/**
 * How two peers are connected: `anchor` if one of them is an anchor (an always-on device), otherwise `webrtc`, `direct` (TCP or WebSocket without a
 * relay) or `relay`.
 */
export type Path = 'anchor' | 'webrtc' | 'direct' | 'relay'

/** The protocol versions and the capabilities of a device. */
export interface Protocol {
  /** The versions of the protocol that the device speaks: all versions from `lowest` to `highest`. */
  readonly lowest: number
  readonly highest: number
  /**
   * The capabilities of the device. Peers may ignore an unknown capability with an odd key, but must understand every capability with an even key.
   */
  readonly capabilities?: Extensions
}

/** A reliable channel for ordered frames to one peer that has not proved membership yet. */
export interface Channel {
  /** The network ids of the two peers, which the transport has authenticated. */
  readonly localPeer: string
  readonly remotePeer: string
  /** Whether this device opened the connection. */
  readonly initiator: boolean
  /**
   * The handshake calls `recognized` when the peer has proved that it knows the secret of a space. A recognized peer no longer competes with
   * strangers for a seat.
   */
  recognized(): void
  /** Sends one frame. Rejects if the channel is closed. */
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
 * A link: a channel for ordered frames to an admitted peer, over one network path. At any time, at most one link to each peer is in use. When a
 * better path is found, a new link replaces the old one.
 */
export interface Link {
  /** The id of the link, which is unique in this process. */
  readonly id: string
  /** The network id of the remote peer. */
  readonly peer: string
  readonly identity: Identity
  readonly path: Path
  /**
   * Queues one frame of at most `limits.frameBytes`. Resolves when the transport can take the next frame. Frames arrive in order, or the link closes.
   * Never rejects. A closed link drops frames without an error, because `disconnected` has already reported that the link is closed.
   */
  send(frame: Uint8Array): Promise<void>
  /**
   * Closes the link. `reason` is used only on this device, and is not sent to the peer. Before the link closes, it sends the frame `last` instead of
   * the queued frames, and accepts no further frames.
   */
  close(reason: string, last?: Uint8Array): void
}

/** A peer that another peer has introduced to this device. */
export interface PeerHint {
  readonly peer: string
  /**
   * Multiaddresses at which the peer may be reachable. The list of addresses is empty if the peer is reachable only through the peer that introduced
   * it.
   */
  readonly addresses: readonly string[]
}

/**
 * Why a connection was refused or cut off.
 *
 * - `no-room`: too many connections in total, so the device or the address with the most connections loses one
 * - `address`: too many connections from one address
 * - `device`: one device has too many links, or has broken a rule and is therefore refused for a time
 * - `stranger`: the peer did not prove that it is a member
 * - `silent`: the handshake took too long
 * - `oversized`: a message was larger than its limit
 * - `garbage`: the peer sent gossip that no member wrote, or bytes that violate the protocol
 * - `flood`: the peer sent more data than this device buffers, or more per second than it accepts
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

/** The functions that a network calls to report what has happened. These functions never throw. */
export interface NetworkHandler {
  /**
   * Runs the handshake. Resolves with the identity that the peer has proved in the handshake. If the handshake fails, the promise rejects, and the
   * network closes the connection.
   */
  authenticate(channel: Channel): Promise<Identity>
  /** A link is ready. The new link replaces any earlier link to the same peer, and the earlier link will be reported as disconnected. */
  connected(link: Link): void
  /**
   * A frame has arrived over a link. For backpressure, the network reads the next frame only after the promise that `frame` returned has resolved.
   */
  frame(link: Link, frame: Uint8Array): Promise<void>
  /** A link has closed. */
  disconnected(link: Link): void
  /**
   * An announcement has arrived by gossip. The peer that sent an announcement is admitted, but need not be its author. Returns whether a member wrote
   * the announcement. The network does not forward an announcement that no member wrote, and counts it as a fault of the peer that sent it.
   */
  announcement(payload: Uint8Array): boolean
}

/** The status of the network, for display to people. The program bases no decision on the status of the network. */
export interface NetworkStatus {
  readonly started: boolean
  /** All open transport connections, including connections to peers that are not admitted yet. */
  readonly connections: readonly { readonly peer: string; readonly path: Path }[]
  /** The reason why the last attempt to reach a configured address failed. */
  readonly lastError: string | undefined
  /** The number of connections that were refused or closed since the start, for each reason. A reason with the number 0 is left out. */
  readonly refused: Readonly<Partial<Record<Refusal, number>>>
}

/**
 * The port for connections to other peers. A network dials peers, dials again with growing pauses, and moves links to better paths. A network admits
 * only peers that prove in the handshake that they are members of the space.
 */
export interface Network {
  /** The network id of this peer, which is new in each process. */
  readonly localPeer: string
  /** Begins to listen for connections and to dial peers. `start` may be called again after `stop`. */
  start(handler: NetworkHandler): Promise<void>
  /** Closes all connections. The network dials no peer until the next call of `start`. */
  stop(): Promise<void>
  /** Sends `payload`, which has at most `limits.announcementBytes`, to all members by gossip. The announcement may get lost. */
  announce(payload: Uint8Array): void
  /** Tells the network about `peers`, which the admitted peer `via` has introduced. The network may connect to these peers. */
  introduce(via: string, peers: readonly PeerHint[]): void
  /** Returns the multiaddresses at which other peers can reach this peer. */
  addresses(): readonly string[]
  status(): NetworkStatus
}
