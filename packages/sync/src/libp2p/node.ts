import {
  limits,
  PeerplaneError,
  reasonOf,
  Services,
  Timers,
  type DeviceId,
  type ErrorCode,
  type NetworkHandler,
  type NetworkStatus,
  type PeerHint,
  type Refusal,
  type Service,
} from '@peerplane/core'
import type { Connection, Libp2p, PeerId, PrivateKey, Stream, Transport } from '@libp2p/interface'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'

import { assemble, type Assembled, type Libp2pNetworkOptions } from './assembly.ts'
import { addressOf, Door, isCounted } from './door.ts'
import { BytePool } from '../bounds/byte-pool.ts'
import { Gate } from './gate.ts'
import { Gossip } from './gossip.ts'
import { Ladder } from './ladder.ts'
import { Links } from './links.ts'
import { isRelayed, pathOf, withoutPeer } from './path.ts'
import { PeerRecords } from './peer-records.ts'
import { closeConnection, type PeerLink } from './peer-link.ts'
import { Redial } from './redial.ts'
import { Refusals } from './refusals.ts'
import { RelayReservations } from './relay.ts'
import { Seats } from './seats.ts'
import { ShutOuts } from './shut-outs.ts'
import { signalingEnded } from './signaling.ts'
import { monotonic } from '../time/monotonic.ts'

const LINK_PROTOCOL = '/peerplane/link/1'

/** What a connection that has ended leaves behind needs a moment to be cleared away. */
const SETTLE_MS = 200

/** Starts to listen and to dial. Rejects with `port-in-use` or `invalid-configuration`; then nothing of it is left. */
export const startNode = (
  given: Libp2pNetworkOptions,
  key: PrivateKey,
  handler: NetworkHandler,
): Promise<Node> =>
  Services.open(given.trace, async (services) => {
    const scheduler = new Timers(given.scheduler)
    services.add('network timers', scheduler)
    const options = { ...given, scheduler }
    const errors = new Errors()
    const { clock, proxies = [] } = options
    const now = monotonic(clock)
    const refused = options.refused ?? new Refusals(options.trace)
    const shutOuts = new ShutOuts(now)
    const gate: Gate = new Gate(
      {
        authenticate: async (channel) => handler.authenticate(channel),
        refused: (error) => errors.refused(error),
        connected: (peer) => assembled.libp2p.getConnections().some(isWith(peer)),
        ready: async (incoming) =>
          signalingEnded(incoming, assembled.libp2p.getConnections(), scheduler),
        admissible: ({ device }, called) =>
          called ? !shutOuts.isOut(device) : shutOuts.mayEnter(device),
        offended: (device, why) => node.offended(device, why),
        now,
      },
      options.door ?? new Door({ proxies, scheduler, random: options.random, now, refused }),
    )
    const assembled = await assemble(options, key, gate)
    const around = { gate, handler, errors, refused, shutOuts, now }
    const node: Node = new Node(services, options, assembled, around)
    await node.start()
    return node
  })

const isWith =
  (peer: string) =>
  (connection: Connection): boolean =>
    connection.remotePeer.toString() === peer

/** What a node shares with those who guard it. */
interface Surroundings {
  readonly gate: Gate
  readonly handler: NetworkHandler
  readonly errors: Errors
  readonly refused: Refusals
  readonly shutOuts: ShutOuts
  readonly now: () => number
}

const isRefused = (error: unknown): error is Error =>
  error instanceof Error && error.name === 'EncryptionFailedError'

/** The last thing that went wrong, for people. */
class Errors {
  last: PeerplaneError | undefined
  #refusal: PeerplaneError | undefined

  refused(error: PeerplaneError): void {
    this.#refusal = error
    this.last = error
  }

  /** libp2p replaces an error of the handshake by one of its own, with the same message. */
  explained(error: unknown): unknown {
    return isRefused(error) && error.message === this.#refusal?.message ? this.#refusal : error
  }

  undialled(error: unknown, address: Multiaddr): void {
    // A browser tells no more of a WebSocket that failed than that it did.
    const reason = error instanceof Error ? `: ${reasonOf(error)}` : ''
    this.last =
      (error instanceof PeerplaneError ? error : isRefused(error) && this.#refusal) ||
      new PeerplaneError('unreachable', `${address.toString()} does not answer${reason}`)
  }

  /** A link is there: earlier failures to reach the peer no longer matter. */
  linked(): void {
    this.last = undefined
  }
}

/** The addresses that one of the transports can dial: an invitation also names those for other kinds of devices. */
const dialable = (addresses: readonly string[], transports: readonly Transport[]): Multiaddr[] => {
  const parsed = addresses.map((address) => multiaddr(address))
  return parsed.filter((address) =>
    transports.some((transport) => transport.dialFilter([address]).length > 0),
  )
}

/** A libp2p node at work: from its start until its stop. */
export class Node implements Service {
  readonly #services: Services
  readonly #options: Libp2pNetworkOptions
  readonly #libp2p: Libp2p
  readonly #assembled: Assembled
  readonly #gate: Gate
  readonly #handler: NetworkHandler
  readonly #errors: Errors
  readonly #refused: Refusals
  readonly #shutOuts: ShutOuts
  readonly #seats: Seats<Connection>
  readonly #links: Links
  readonly #gossip: Gossip
  readonly #redial: Redial
  readonly #ladder: Ladder
  readonly #reservations: RelayReservations
  readonly #records: PeerRecords
  readonly #linked = new WeakSet<Connection>()

  constructor(
    services: Services,
    options: Libp2pNetworkOptions,
    assembled: Assembled,
    { gate, handler, errors, refused, shutOuts, now }: Surroundings,
  ) {
    const { scheduler, random, trace } = options
    this.#services = services
    this.#options = options
    this.#assembled = assembled
    this.#libp2p = assembled.libp2p
    this.#gate = gate
    this.#handler = handler
    this.#errors = errors
    this.#refused = refused
    this.#shutOuts = shutOuts
    this.#seats = new Seats(options.seats)
    const localPeer = this.#libp2p.peerId.toString()
    this.#links = new Links({
      localPeer,
      pool: new BytePool(limits.linksBytes),
      handler,
      scheduler,
      opened: (link) => this.#linkOpened(link),
      lost: (peer) => this.#linkLost(peer),
      failed: (error, link) => {
        errors.last = error
        this.offended(link.identity.device, LINK_REFUSALS[error.code])
      },
    })
    this.#gossip = new Gossip({
      service: assembled.gossip,
      topologies: assembled.topologies,
      topic: options.topic,
      random,
      trace,
      now,
      isHere: (peer) => gate.identity(peer) !== undefined,
      offended: (peer, why) => gate.offended(peer, why),
    })
    this.#redial = new Redial({
      addresses: dialable(options.dial, assembled.transports),
      dial: async (address) => this.#dial(address),
      linked: (peer) => (this.#links.get(peer)?.path ?? 'relay') !== 'relay',
      failed: (error, address, failures) => {
        errors.undialled(error, address)
        const name = failures === 0 ? 'address.unreachable' : 'dial.failed'
        trace?.(name, { address: address.toString(), reason: reasonOf(error) })
      },
      now,
      scheduler,
      random,
    })
    this.#ladder = new Ladder({
      localPeer,
      listening: options.listen.length > 0,
      webrtc: options.webrtc,
      dial: async (address) => this.#dial(address, true),
      link: (peer) => this.#links.get(peer),
      scheduler,
      random,
      trace,
    })
    this.#reservations = new RelayReservations(assembled.transports, options)
    this.#records = new PeerRecords(this.#libp2p, scheduler)
  }

  async start(): Promise<void> {
    const libp2p = this.#libp2p
    libp2p.addEventListener('connection:open', ({ detail }) => void this.#opened(detail))
    libp2p.addEventListener('connection:close', ({ detail }) => this.#closed(detail))
    libp2p.addEventListener('peer:disconnect', ({ detail }) => this.#forget(detail))
    await this.#services.start(
      'libp2p',
      () => this.#startLibp2p(),
      () => libp2p.stop(),
    )
    this.#gossip.start(this.#handler)
    this.#services.add('connections', { stop: () => this.#closeAll() })
    this.#services.add('paths', this.#ladder)
    this.#redial.start()
    this.#services.add('dialing', this.#redial)
  }

  /** Ends everything; afterwards no connection is open. */
  stop(): Promise<void> {
    return this.#services.stop()
  }

  async #startLibp2p(): Promise<void> {
    const libp2p = this.#libp2p
    try {
      await libp2p.handle(LINK_PROTOCOL, (stream, from) => this.#accept(stream, from), {
        maxInboundStreams: 1,
        runOnLimitedConnection: true,
      })
      await libp2p.start()
    } catch (error) {
      await libp2p.stop()
      throw startError(error)
    }
  }

  async #closeAll(): Promise<void> {
    this.#links.closeAll('this peer goes off the network')
    await Promise.all(this.#libp2p.getConnections().map(closeConnection))
  }

  announce(payload: Uint8Array): void {
    this.#gossip.announce(payload)
  }

  introduce(via: string, peers: readonly PeerHint[]): void {
    this.#ladder.introduce(via, peers)
  }

  addresses(): string[] {
    const addresses = this.#libp2p.getMultiaddrs().filter((address) => !isRelayed(address))
    return addresses.map((address) => withoutPeer(address).toString())
  }

  connections(): NetworkStatus['connections'] {
    return this.#libp2p.getConnections().map((connection) => {
      const peer = connection.remotePeer.toString()
      return { peer, path: pathOf(connection, this.#anchored(peer)) }
    })
  }

  lastError(): string | undefined {
    return this.#errors.last?.message
  }

  refused(): NetworkStatus['refused'] {
    return this.#refused.all()
  }

  /** A device broke a rule: it is cut off, and may come back later each time. */
  offended(device: DeviceId, why: Refusal | undefined): void {
    if (!why) return
    this.#options.trace?.('device.banned', { device, why })
    this.#refused.add(why)
    this.#errors.last = cutOffFor(why)
    this.#shutOuts.offend(device)
    for (const connection of this.#libp2p.getConnections()) {
      const peer = connection.remotePeer.toString()
      if (this.#gate.identity(peer)?.device !== device) continue
      // Its links end with this, which is no further offence.
      connection.abort(new PeerplaneError('closed', 'The device broke a rule'))
    }
  }

  async #dial(address: Multiaddr, force = false): Promise<Connection> {
    try {
      return await this.#libp2p.dial(address, { force })
    } catch (error) {
      throw this.#errors.explained(error)
    }
  }

  async #opened(connection: Connection): Promise<void> {
    if (!this.#seated(connection)) return
    const cancel = this.#options.scheduler.after(limits.handshakeMs, () => {
      if (!this.#linked.has(connection)) void closeConnection(connection)
    })
    // A timer holds its connection.
    connection.addEventListener('close', cancel)
    if (connection.direction === 'inbound') return
    try {
      const stream = await connection.newStream(LINK_PROTOCOL, { runOnLimitedConnection: true })
      this.#link(connection, stream)
    } catch {
      // Ignored: it is called again; no link is opened.
      await closeConnection(connection)
    }
  }

  /** Whether a connection may stay; another one may have to go for it. */
  #seated(connection: Connection): boolean {
    const identity = this.#gate.identity(connection.remotePeer.toString())
    // Without an identity it gets no link either.
    if (!identity) return true
    const { proxies = [] } = this.#options
    const address = addressOf(connection)
    const eviction = this.#seats.sit(connection, {
      device: identity.device,
      address: address !== undefined && isCounted(address, proxies) ? address : undefined,
    })
    if (!eviction) return true
    this.#refused.add(eviction.why)
    this.#links.giveUp(eviction.held)
    void closeConnection(eviction.held)
    return eviction.held !== connection
  }

  #accept(stream: Stream, connection: Connection): void {
    if (connection.direction === 'inbound' && !this.#linked.has(connection)) {
      this.#link(connection, stream)
    } else {
      stream.abort(new PeerplaneError('malformed', 'A peer asked for a second link'))
    }
  }

  #link(connection: Connection, stream: Stream): void {
    const peer = connection.remotePeer.toString()
    const identity = this.#gate.identity(peer)
    if (!identity) {
      void closeConnection(connection)
      return
    }
    this.#linked.add(connection)
    this.#links.add(connection, stream, identity, pathOf(connection, this.#anchored(peer)))
  }

  #anchored(peer: string): boolean {
    return this.#options.anchor || (this.#gate.identity(peer)?.anchor ?? false)
  }

  #linkOpened(link: PeerLink): void {
    this.#errors.linked()
    this.#ladder.changed(link.peer)
    if (!link.identity.anchor || link.path === 'relay') return
    const inUse = (): boolean => this.#links.get(link.peer) === link
    void this.#reservations.take(link.connection.remotePeer, inUse)
  }

  #linkLost(peer: string): void {
    this.#redial.lost(peer)
    this.#ladder.changed(peer)
  }

  #closed(connection: Connection): void {
    const { remotePeer } = connection
    this.#seats.leave(connection)
    this.#options.scheduler.after(SETTLE_MS, () => {
      const left = this.#links.get(remotePeer.toString())?.connection
      if (left?.status === 'open') this.#gossip.reattach(remotePeer, left)
    })
  }

  #forget(peer: PeerId): void {
    this.#gate.forget(peer.toString())
    this.#gossip.forget(peer.toString())
    this.#assembled.relay?.reservations.delete(peer)
    this.#records.gone()
  }
}

const cutOffFor = (why: Refusal): PeerplaneError =>
  new PeerplaneError(
    why === 'oversized' ? 'too-large' : 'overloaded',
    `A device was cut off: ${why}`,
  )

/** Which rule a peer broke whose link was closed with an error of this side. */
const LINK_REFUSALS: Partial<Record<ErrorCode, Refusal>> = {
  'too-large': 'oversized',
  overloaded: 'flood',
  malformed: 'garbage',
}

function startError(error: unknown): PeerplaneError {
  const reason = error instanceof Error ? error.message : String(error)
  const taken = [...reason.matchAll(/address already in use (\S+)/g)].map(([, address]) => address)
  return taken.length > 0
    ? new PeerplaneError('port-in-use', `${taken.join(' and ')} is taken`, { cause: error })
    : new PeerplaneError('invalid-configuration', reason.trim(), { cause: error })
}
