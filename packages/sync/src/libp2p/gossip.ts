import {
  concatBytes,
  limits,
  reasonOf,
  type NetworkHandler,
  type Random,
  type Refusal,
  type Trace,
} from '@peerplane/core'
import { gossipsub, TopicValidatorResult, type GossipSub } from '@libp2p/gossipsub'
import type { Connection, PeerId, Topology } from '@libp2p/interface'

import { GossipJudge } from './gossip-judge.ts'

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
    maxOutboundBufferSize: limits.gossipOutBytes,
    // What comes from one peer is looked at in turn, so that it waits in the connection.
    awaitRpcHandler: true,
    awaitRpcMessageHandler: true,
    decodeRpcLimits: {
      maxSubscriptions: 16,
      maxMessages: 64,
      maxIhaveMessageIDs: 1000,
      maxIwantMessageIDs: 1000,
      maxControlMessages: 64,
      maxIdontwantMessageIDs: 64,
      maxPeerInfos: 0,
    },
    scoreParams: {
      // All who are reached through one relay or router share an address.
      IPColocationFactorWeight: 0,
      // Scores go with their peer: whom to keep out is decided by device, and peers get a new id with every start.
      retainScore: 0,
    },
  })

/** The part of libp2p that tells services about peers. */
export interface Topologies {
  getTopologies(protocol: string): Topology[]
}

/**
 * What gossip sends through, by peer. A peer that leaves while its stream is being opened would stay here for ever, with its connection: it
 * is removed first, then added, and its stream, which is closed by then, ends no more.
 */
interface Streams {
  readonly streamsOutbound: Map<string, { close(): Promise<void> }>
}

/** What gossip works with. */
export interface GossipOptions {
  readonly service: GossipSub
  readonly topologies: Topologies
  readonly topic: string
  readonly random: Random
  readonly trace?: Trace | undefined
  /** Milliseconds that never go back. */
  readonly now: () => number
  /** Whether a peer is connected; messages of one that is no longer may still arrive. */
  readonly isHere: (peer: string) => boolean
  /** A peer broke a rule and has to be cut off. */
  readonly offended: (peer: string, why: Refusal) => void
}

/** Announcements to all members, by gossip. What no member wrote, and what is too much, is not passed on. */
export class Gossip {
  readonly #service: GossipSub
  readonly #topologies: Topologies
  readonly #topic: string
  readonly #random: Random
  readonly #trace: Trace | undefined
  readonly #judge: GossipJudge
  readonly #isHere: GossipOptions['isHere']
  readonly #offended: GossipOptions['offended']

  constructor({ service, topologies, topic, random, trace, now, isHere, offended }: GossipOptions) {
    this.#service = service
    this.#topologies = topologies
    this.#topic = topic
    this.#random = random
    this.#trace = trace
    this.#judge = new GossipJudge(now)
    this.#isHere = isHere
    this.#offended = offended
  }

  /** Begins to receive. */
  start(handler: Pick<NetworkHandler, 'announcement'>): void {
    this.#service.topicValidators.set(this.#topic, (from, { data }) => {
      const peer = from.toString()
      if (!this.#isHere(peer)) return TopicValidatorResult.Ignore
      const { taken, offence } = this.#judge.judge(peer, data.length, () => {
        const fits =
          data.length >= NONCE_BYTES && data.length <= NONCE_BYTES + limits.announcementBytes
        return fits && handler.announcement(data.slice(NONCE_BYTES))
      })
      if (offence) this.#offended(peer, offence)
      return taken ? TopicValidatorResult.Accept : TopicValidatorResult.Ignore
    })
    this.#service.subscribe(this.#topic)
  }

  /** Forgets a peer that has no connection left, and all others that gossip has not forgotten. */
  forget(peer: string): void {
    this.#judge.forget(peer)
    const { streamsOutbound } = this.#service as unknown as Streams
    for (const [to, stream] of streamsOutbound) {
      if (this.#isHere(to)) continue
      streamsOutbound.delete(to)
      // Ignored: its connection is closed already.
      stream.close().catch(() => undefined)
    }
  }

  /** Sends to all connected peers. What is too large or cannot be sent is dropped: gossip may lose messages. */
  announce(payload: Uint8Array): void {
    if (payload.length > limits.announcementBytes) return
    const message = concatBytes(this.#random.bytes(NONCE_BYTES), payload)
    this.#service.publish(this.#topic, message).catch((error: unknown) => {
      this.#trace?.('gossip.failed', { reason: reasonOf(error) })
    })
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
