import { concatBytes, limits, type NetworkHandler, type Random } from '@peerplane/core'
import { gossipsub, type GossipSub } from '@libp2p/gossipsub'
import type { Connection, PeerId, Topology } from '@libp2p/interface'

/** Gossip drops a message that equals an earlier one, and the same announcement may be due again. */
const NONCE_BYTES = 8

/** Room for the framing of one announcement. */
const OVERHEAD_BYTES = 1024

/** The gossip service for libp2p. It serves one topic and believes no signature: announcements prove themselves. */
export const gossipService = (topic: string): ReturnType<typeof gossipsub> =>
  gossipsub({
    globalSignaturePolicy: 'StrictNoSign',
    allowedTopics: [topic],
    allowPublishToZeroTopicPeers: true,
    emitSelf: false,
    doPX: false,
    floodPublish: true,
    maxInboundStreams: 2,
    maxOutboundStreams: 2,
    maxInboundDataLength: limits.announcementBytes + NONCE_BYTES + OVERHEAD_BYTES,
    maxOutboundBufferSize: limits.outboxBytes,
    decodeRpcLimits: {
      maxSubscriptions: 16,
      maxMessages: 64,
      maxIhaveMessageIDs: 1000,
      maxIwantMessageIDs: 1000,
      maxControlMessages: 64,
      maxIdontwantMessageIDs: 64,
      maxPeerInfos: 0,
    },
    // All who are reached through one relay or router share an address.
    scoreParams: { IPColocationFactorWeight: 0 },
  })

/** The part of libp2p that tells services about peers. */
export interface Topologies {
  getTopologies(protocol: string): Topology[]
}

/** Announcements to all members, by gossip. */
export class Gossip {
  readonly #service: GossipSub
  readonly #topologies: Topologies
  readonly #topic: string
  readonly #random: Random

  constructor(service: GossipSub, topologies: Topologies, topic: string, random: Random) {
    this.#service = service
    this.#topologies = topologies
    this.#topic = topic
    this.#random = random
  }

  /** Begins to receive. */
  start(handler: Pick<NetworkHandler, 'announcement'>): void {
    this.#service.addEventListener('message', ({ detail: { topic, data } }) => {
      const fits =
        data.length >= NONCE_BYTES && data.length <= NONCE_BYTES + limits.announcementBytes
      if (topic === this.#topic && fits) handler.announcement(data.slice(NONCE_BYTES))
    })
    this.#service.subscribe(this.#topic)
  }

  /** Sends to whoever is connected; what is too large or cannot be sent is dropped, as gossip may. */
  announce(payload: Uint8Array): void {
    if (payload.length > limits.announcementBytes) return
    const message = concatBytes(this.#random.bytes(NONCE_BYTES), payload)
    this.#service.publish(this.#topic, message).catch(() => {})
  }

  /**
   * Gossip binds itself to the first connection with a peer, and takes no notice of a second one when the first ends. This introduces the
   * peer again, by the connection that is left.
   */
  reattach(peer: PeerId, connection: Connection): void {
    for (const protocol of this.#service.protocols) {
      for (const topology of this.#topologies.getTopologies(protocol)) {
        void topology.onConnect?.(peer, connection)
      }
    }
  }
}
