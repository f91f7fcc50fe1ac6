import type { DeviceId } from '../ids.ts'

/** How two peers are connected: with an anchor at one end, directly by WebRTC, directly by TCP or WebSocket, or through a relay. */
export type Path = 'anchor' | 'webrtc' | 'direct' | 'relay'

/** Ordered, reliable frames to one peer that has not proved anything yet. */
export interface Channel {
  /** Network ids of the two ends, authenticated by the transport. */
  readonly localPeer: string
  readonly remotePeer: string
  /** Whether this side asked for the connection. */
  readonly initiator: boolean
  /** Sends one frame. Rejects when the channel is closed. */
  send(frame: Uint8Array): Promise<void>
  /** The next frame; rejects when the channel is closed before it comes. */
  receive(): Promise<Uint8Array>
}

/** What a peer has proved in the handshake. */
export interface Identity {
  readonly device: DeviceId
  readonly anchor: boolean
}

/** Ordered frames to an admitted peer, over one path. At most one link per peer is in use; a better path brings a new link. */
export interface Link {
  /** Unique in this process. */
  readonly id: string
  /** Network id of the remote peer. */
  readonly peer: string
  readonly identity: Identity
  readonly path: Path
  /**
   * Queues one frame (at most `limits.frameBytes`) and resolves when the transport takes more; frames arrive in order or the link closes.
   * Never rejects: a closed link drops frames and has been reported by `disconnected`.
   */
  send(frame: Uint8Array): Promise<void>
  /** Ends the link; `reason` is for the log of this side. */
  close(reason: string): void
}

/** A peer that another peer has introduced. */
export interface PeerHint {
  readonly peer: string
  /** Multiaddresses that may work; empty for a peer that is reached through the peer that introduced it. */
  readonly addresses: readonly string[]
}

/**
 * Why a connection was refused or cut off.
 *
 * - `no-room`: all seats are taken; the device or the address with the most gives one up
 * - `address`: too much from one address at once
 * - `device`: too many links of one device, or it was shut out before
 * - `stranger`: membership was not proved
 * - `silent`: the handshake did not end in time
 * - `oversized`: a message beyond its limit
 * - `garbage`: gossip that no member wrote, or bytes that break the protocol
 * - `flood`: more than may wait, or more per second than is accepted
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

/** What a network calls. None of these throws. */
export interface NetworkHandler {
  /** Runs the handshake; rejects with `handshake-failed` (then the network closes the connection) or resolves with what was proved. */
  authenticate(channel: Channel): Promise<Identity>
  /** A link is ready. A link to the same peer that existed before is superseded and will be reported as disconnected. */
  connected(link: Link): void
  /** A frame has arrived over a link. The promise is the backpressure: the network reads the next frame when it resolves. */
  frame(link: Link, frame: Uint8Array): Promise<void>
  /** A link is gone. */
  disconnected(link: Link): void
  /**
   * A gossiped announcement has arrived from an admitted neighbour, who need not be its author. Returns whether a member wrote it: an
   * announcement that no member wrote is not forwarded, and counts against the neighbour.
   */
  announcement(payload: Uint8Array): boolean
}

/** State of the network, for people only: no decision depends on it. */
export interface NetworkStatus {
  readonly started: boolean
  /** All open transport connections, admitted or not. */
  readonly connections: readonly { readonly peer: string; readonly path: Path }[]
  /** Why the last attempt to reach a configured address failed. */
  readonly lastError: string | undefined
  /** How many were turned away or cut off since the start, by reason; a reason that never occurred is absent. */
  readonly refused: Readonly<Partial<Record<Refusal, number>>>
}

/** Connections to other peers. It dials, redials with backoff, upgrades links to better paths, and lets nobody past the handshake without proof. */
export interface Network {
  /** Network id of this peer in this process. */
  readonly localPeer: string
  /** Begins to listen and to dial; may be called again after `stop`. */
  start(handler: NetworkHandler): Promise<void>
  /** Closes every connection of any kind; nothing is dialled until the next `start`. */
  stop(): Promise<void>
  /** Sends `payload` to all members by gossip, at most `limits.announcementBytes`; it may get lost. */
  announce(payload: Uint8Array): void
  /** Peers worth a connection, introduced by the admitted peer `via`. */
  introduce(via: string, peers: readonly PeerHint[]): void
  /** Multiaddresses under which others can reach this peer. */
  addresses(): readonly string[]
  status(): NetworkStatus
}
