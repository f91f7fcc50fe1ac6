import {
  asPeerplaneError,
  limits,
  PeerplaneError,
  type Channel,
  type DeviceId,
  type Identity,
  type Refusal,
} from '@peerplane/core'
import type {
  ConnectionEncrypter,
  ConnectionGater,
  MessageStream,
  MultiaddrConnection,
  PeerId,
  SecureConnectionOptions,
  SecuredConnection,
  StreamMuxerFactory,
} from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { yamux } from '@libp2p/yamux'

import type { Door } from './door.ts'
import { HandshakeChannel } from './handshake-channel.ts'
import { YamuxWatch } from './yamux-watch.ts'

/** Noise with the handshake behind it: a peer that speaks plain Noise finds nobody to speak with, and does not wait for an answer. */
export const ENCRYPTER = '/peerplane/noise/1'

/** What a gate asks of its surroundings. */
export interface GateKeeper {
  authenticate(channel: Channel): Promise<Identity>
  refused(error: PeerplaneError): void
  connected(peer: string): boolean
  /** Resolves when an incoming connection may be set up. */
  ready(connection: MultiaddrConnection): Promise<void>
  /** Whether a device that has proved membership is let in; `called` says that it was called from here. */
  admissible(identity: Identity, called: boolean): boolean
  /** A device that is admitted broke a rule; its connection is closed already. */
  offended(device: DeviceId, why: Refusal): void
  /** Milliseconds that never go back. */
  now(): number
}

type NoiseComponents = Parameters<ReturnType<typeof noise>>[0]

/**
 * Lets nobody in without proof.
 *
 * The handshake runs inside the encryption step of a connection, right after Noise and before there is a multiplexer. A stranger therefore
 * finds no door at all: no identify, no gossip, no relay, no signaling, no streams. WebRTC connections are set up by messages over an
 * admitted connection and run no Noise of their own; they pass only for a peer that is admitted already.
 */
export class Gate {
  readonly #keeper: GateKeeper
  readonly #door: Door
  readonly #admitted = new Map<string, Identity>()
  readonly #behind = new WeakMap<MessageStream, DeviceId>()

  constructor(keeper: GateKeeper, door: Door) {
    this.#keeper = keeper
    this.#door = door
  }

  /** What an admitted peer has proved. */
  identity(peer: string): Identity | undefined {
    return this.#admitted.get(peer)
  }

  /** An admitted peer broke a rule of its transport. */
  offended(peer: string, why: Refusal): void {
    const device = this.identity(peer)?.device
    if (device) this.#keeper.offended(device, why)
  }

  /** Forgets a peer that has no connection left. */
  forget(peer: string): void {
    this.#admitted.delete(peer)
  }

  /** Noise, followed by the handshake. */
  encrypter(): (components: NoiseComponents) => ConnectionEncrypter {
    return (components) => {
      const inner = noise()(components)
      const local = components.peerId.toString()
      return {
        protocol: ENCRYPTER,
        secureOutbound: async (connection, options) => {
          cutMessages(connection)
          return this.#measured(connection, async () =>
            this.#admit(await inner.secureOutbound(connection, options), local, options),
          )
        },
        secureInbound: async (connection, options) => {
          try {
            const secured = await this.#measured(connection, async () =>
              this.#admit(await inner.secureInbound(connection, options), local, options, () =>
                this.#door.recognized(connection),
              ),
            )
            this.#door.decided(connection)
            return secured
          } catch (error) {
            this.#door.decided(connection, refusalOf(error))
            throw error
          }
        },
      }
    }
  }

  /** The rules for libp2p. */
  gater(): ConnectionGater {
    const stranger = (peer: PeerId): boolean => !this.#admitted.has(peer.toString())
    return {
      // The default of browsers refuses private addresses and plain WebSockets.
      denyDialMultiaddr: () => false,
      denyInboundConnection: async (connection) => {
        if (!this.#door.enter(connection)) return true
        await this.#keeper.ready(connection)
        return false
      },
      denyInboundUpgradedConnection: stranger,
      denyOutboundUpgradedConnection: stranger,
      denyInboundRelayReservation: stranger,
      denyOutboundRelayedConnection: (source, destination) =>
        stranger(source) || stranger(destination),
    }
  }

  /** The multiplexer, and who reads along. */
  muxer(): () => StreamMuxerFactory {
    const inner = yamux({
      maxInboundStreams: limits.streams,
      maxOutboundStreams: limits.streams,
      streamOptions: {
        maxStreamWindowSize: limits.streamWindowBytes,
        maxReadBufferLength: 2 * limits.streamWindowBytes,
      },
    })()
    return () => ({
      protocol: inner.protocol,
      createStreamMuxer: (connection) => {
        const watch = new YamuxWatch(
          () => muxer.streams,
          () => this.#keeper.now(),
        )
        // Before the multiplexer listens: it must not see what is refused.
        connection.addEventListener('message', (event) => {
          const { data } = event
          for (const bytes of data instanceof Uint8Array ? [data] : data) {
            const why = watch.read(bytes)
            if (!why) continue
            event.stopImmediatePropagation()
            this.#cutOff(connection, why)
            return
          }
        })
        const muxer = inner.createStreamMuxer(connection)
        return muxer
      },
    })
  }

  #cutOff(connection: MessageStream, why: Refusal): void {
    connection.abort(new PeerplaneError('closed', `A peer was cut off: ${why}`))
    const device = this.#behind.get(connection)
    if (device) this.#keeper.offended(device, why)
  }

  /** Cuts a connection off when more comes over it than a handshake needs, before `proof` has resolved. */
  async #measured(
    connection: MessageStream,
    proof: () => Promise<SecuredConnection>,
  ): Promise<SecuredConnection> {
    connection.maxReadBufferLength = limits.connectionReadBytes
    let received = connection.readBufferLength
    const count = ({ data }: { readonly data: { readonly byteLength: number } }): void => {
      received += data.byteLength
      if (received <= limits.strangerBytes) return
      const error = new PeerplaneError('too-large', 'A peer sent too much before it was admitted')
      this.#keeper.refused(error)
      this.#door.decided(connection, 'oversized')
      connection.abort(error)
    }
    connection.addEventListener('message', count)
    try {
      return await proof()
    } finally {
      connection.removeEventListener('message', count)
    }
  }

  async #admit(
    secured: SecuredConnection,
    localPeer: string,
    options: SecureConnectionOptions | undefined,
    /** Given for a connection that the other side has opened. */
    recognized?: () => void,
  ): Promise<SecuredConnection> {
    const initiator = recognized === undefined
    const remotePeer = secured.remotePeer.toString()
    const ends = { localPeer, remotePeer, initiator }
    secured.connection.maxReadBufferLength = limits.connectionReadBytes
    const channel = new HandshakeChannel(secured.connection, ends, options?.signal, recognized)
    try {
      const identity = await this.#keeper.authenticate(channel)
      if (!this.#keeper.admissible(identity, initiator)) {
        throw new PeerplaneError('overloaded', 'A device came back too soon or too often')
      }
      if (this.#admitted.size >= limits.connections) this.#sweep()
      this.#admitted.set(remotePeer, identity)
      this.#behind.set(secured.connection, identity.device)
    } catch (error) {
      const reason = asPeerplaneError(error, 'handshake-failed')
      this.#keeper.refused(reason)
      throw reason
    } finally {
      channel.release()
    }
    return secured
  }

  /** A connection can fail after the handshake, and then nobody reports its end. */
  #sweep(): void {
    for (const peer of this.#admitted.keys()) {
      if (!this.#keeper.connected(peer)) this.#admitted.delete(peer)
    }
  }
}

/** A transport of browsers sends as much as it has in one WebSocket message; the other side takes messages up to a limit. */
function cutMessages(connection: MessageStream): void {
  if ('maxMessageSize' in connection) connection.maxMessageSize = limits.webSocketBytes
}

function refusalOf(error: unknown): Refusal {
  const { code } = asPeerplaneError(error, 'handshake-failed')
  if (code === 'overloaded') return 'device'
  return code === 'too-large' ? 'oversized' : 'stranger'
}
