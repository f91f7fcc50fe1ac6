import {
  limits,
  reasonOf,
  type PeerHint,
  type Random,
  type Scheduler,
  type Trace,
} from '@peerplane/core'
import type { Connection } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'

import { backoffMs, needsUpdate, UPDATE_RETRY } from './backoff.ts'
import { withPeer } from './path.ts'
import type { PeerLink } from './peer-link.ts'

const DIAL = { firstMs: 250, maxMs: 30_000 }
const CLIMB = { firstMs: 1_000, maxMs: 60_000 }

/** Of two peers that hear of each other at the same time, the one with the larger id leaves the first attempt to the other. */
const YIELD_MS = 2_000

/** A new connection gets this long to become a link. */
const SETTLE_MS = 2_000

/** A peer is given up after this many failures; peers that meet it introduce it again. */
const MAX_FAILURES = 8

/** What the ladder works with. */
export interface LadderOptions {
  readonly localPeer: string
  /** Whether others can reach this peer without a relay. */
  readonly listening: boolean
  /** Whether this peer can make WebRTC connections. */
  readonly webrtc: boolean
  readonly dial: (address: Multiaddr) => Promise<Connection>
  readonly link: (peer: string) => PeerLink | undefined
  readonly scheduler: Scheduler
  readonly random: Random
  readonly trace?: Trace | undefined
}

interface Known {
  readonly peer: string
  addresses: readonly string[]
  /** Peers that have introduced this peer, and may relay to it. */
  readonly vias: Set<string>
  failures: number
  busy: boolean
  cancel: () => void
}

/**
 * Climbs to the best path to each peer that others have introduced: directly at its addresses, else through a relay, and from there to
 * WebRTC. The path that works stays until the better one carries a link; failures are tried again with growing pauses.
 */
export class Ladder {
  readonly #options: LadderOptions
  readonly #known = new Map<string, Known>()
  #stopped = false

  constructor(options: LadderOptions) {
    this.#options = options
  }

  stop(): void {
    this.#stopped = true
    for (const known of this.#known.values()) known.cancel()
    this.#known.clear()
  }

  /** Peers that `via` is connected to. */
  introduce(via: string, hints: readonly PeerHint[]): void {
    for (const { peer, addresses } of hints.slice(0, limits.peersPerMessage)) {
      if (peer === this.#options.localPeer || this.#stopped) continue
      const known = this.#known.get(peer) ?? this.#meet(peer)
      if (!known) return
      const news = addresses.some((address) => !known.addresses.includes(address))
      if (addresses.length > 0) known.addresses = addresses
      if (!known.vias.has(via) || news) this.#later(known, this.#firstDelay(known))
      known.vias.add(via)
    }
  }

  /** A link to `peer` has come into use, or the last one is gone: look again. */
  changed(peer: string): void {
    const known = this.#known.get(peer)
    if (!known) return
    known.failures = 0
    this.#later(known, this.#options.link(peer) ? 0 : this.#firstDelay(known))
  }

  #meet(peer: string): Known | undefined {
    if (this.#known.size >= 2 * limits.connections) return undefined
    const vias = new Set<string>()
    const known: Known = { peer, addresses: [], vias, failures: 0, busy: false, cancel: () => {} }
    this.#known.set(peer, known)
    return known
  }

  #firstDelay({ peer, addresses }: Known): number {
    const onlyWay = addresses.length > 0 && !this.#options.listening
    const ours = onlyWay || this.#options.localPeer < peer
    return (ours ? 0 : YIELD_MS) + backoffMs({ firstMs: 50, maxMs: 50 }, 0, this.#options.random)
  }

  #later(known: Known, delayMs: number): void {
    known.cancel()
    if (this.#stopped) return
    known.cancel = this.#options.scheduler.after(delayMs, () => void this.#step(known))
  }

  async #step(known: Known): Promise<void> {
    if (this.#stopped || known.busy) return
    const link = this.#options.link(known.peer)
    const ways = link ? this.#better(known, link) : this.#any(known)
    if (ways.length === 0 && link) return
    known.busy = true
    const outcome = await this.#dialFirst(ways)
    const reached = outcome === 'reached'
    known.busy = false
    known.failures = reached ? 0 : known.failures + 1
    if (!link && known.failures > MAX_FAILURES) {
      this.#known.delete(known.peer)
      return
    }
    const changed = this.#options.link(known.peer) !== link
    const retry = outcome === 'outdated' ? UPDATE_RETRY : link ? CLIMB : DIAL
    const pause = backoffMs(retry, known.failures, this.#options.random)
    // Also after success: a connection may end before it has become a link.
    this.#later(known, changed ? 0 : reached ? SETTLE_MS : pause)
  }

  async #dialFirst(ways: readonly Multiaddr[]): Promise<'reached' | 'failed' | 'outdated'> {
    for (const way of ways) {
      try {
        await this.#options.dial(way)
        return 'reached'
      } catch (error) {
        // No other way leads to another version.
        if (needsUpdate(error)) return 'outdated'
        // The next way, or a later attempt.
        this.#options.trace?.('dial.failed', { address: way.toString(), reason: reasonOf(error) })
      }
    }
    return 'failed'
  }

  /** Ways to a peer without a link, the best first. */
  #any(known: Known): Multiaddr[] {
    const relayed = this.#relays(known).map((relay) =>
      relay.encapsulate(`/p2p-circuit/p2p/${known.peer}`),
    )
    return [...direct(known), ...relayed]
  }

  /** Better ways to a peer than the link in use. The side that made the relayed connection upgrades it to WebRTC. */
  #better(known: Known, link: PeerLink): Multiaddr[] {
    if (link.path !== 'relay') return []
    const climbs = this.#options.webrtc && link.connection.direction === 'outbound'
    const [relay] = climbs ? this.#relays(known) : []
    const webrtc = relay?.encapsulate(`/p2p-circuit/webrtc/p2p/${known.peer}`)
    return webrtc ? [webrtc, ...direct(known)] : direct(known)
  }

  #relays(known: Known): Multiaddr[] {
    const relays: Multiaddr[] = []
    for (const via of known.vias) {
      const link = this.#options.link(via)
      if (!link) known.vias.delete(via)
      else if (link.identity.anchor && link.path !== 'relay')
        relays.push(link.connection.remoteAddr)
    }
    return relays
  }
}

const direct = ({ addresses, peer }: Known): Multiaddr[] =>
  addresses.map((address) => withPeer(address, peer))
