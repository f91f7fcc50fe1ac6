import { setTimeout as pause } from 'node:timers/promises'

import { decodeCanonical, type Link, type Network } from '@peerplane/core'

/** Names of messages by their number in the protocol. */
const KINDS = ['', 'summary', 'have', 'want', 'runs', 'peers', 'bye', 'list', 'page'] as const

/** A message that was sent over a link. */
export interface Sent {
  readonly kind: string
  readonly bytes: number
  /** How many messages before it caused one another in turn. */
  readonly depth: number
}

/**
 * The links between two networks of this process: what is sent over them, and how many messages caused one another in turn. Each message
 * arrives `oneWayMs` later than the real network brings it.
 */
export class Meter {
  readonly oneWayMs: number
  sent: Sent[] = []
  /** Longest chain of messages, each sent after the one before had arrived, that has reached an end. */
  readonly #reached = new Map<string, number>()
  readonly #underWay = new Map<string, number[]>()

  constructor(oneWayMs: number) {
    this.oneWayMs = oneWayMs
  }

  reset(): void {
    this.sent = []
    this.#reached.clear()
  }

  /** Bytes of the messages of these kinds, of all without kinds. */
  bytes(...kinds: readonly string[]): number {
    return this.sent
      .filter(({ kind }) => kinds.length === 0 || kinds.includes(kind))
      .reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Round trips before the first message of a kind. */
  roundTripsBefore(kind: string): number {
    return (this.sent.find((each) => each.kind === kind)?.depth ?? NaN) / 2
  }

  left(peer: string, remote: string, frame: Uint8Array): void {
    const [kind] = decodeCanonical(frame) as unknown as [number]
    const depth = this.#reached.get(peer) ?? 0
    this.sent.push({ kind: KINDS[kind] ?? String(kind), bytes: frame.length, depth })
    this.#queue(peer, remote).push(depth + 1)
  }

  arrived(peer: string, remote: string): void {
    const depth = this.#queue(remote, peer).shift() ?? 0
    this.#reached.set(peer, Math.max(this.#reached.get(peer) ?? 0, depth))
  }

  #queue(from: string, to: string): number[] {
    const name = `${from} ${to}`
    const queue = this.#underWay.get(name) ?? []
    this.#underWay.set(name, queue)
    return queue
  }
}

/** A network whose links are measured; handshakes, introductions and gossip are not. */
export function measured(network: Network, meter: Meter): Network {
  const peer = network.localPeer
  const links = new Map<Link, Link>()
  const linkOf = (link: Link): Link => {
    const known = links.get(link) ?? {
      ...link,
      send: (frame: Uint8Array) => {
        meter.left(peer, link.peer, frame)
        return link.send(frame)
      },
      close: (reason: string) => link.close(reason),
    }
    links.set(link, known)
    return known
  }
  return {
    localPeer: peer,
    start: (handler) =>
      network.start({
        authenticate: (channel) => handler.authenticate(channel),
        connected: (link) => handler.connected(linkOf(link)),
        frame: async (link, frame) => {
          await pause(meter.oneWayMs)
          meter.arrived(peer, link.peer)
          await handler.frame(linkOf(link), frame)
        },
        disconnected: (link) => {
          handler.disconnected(linkOf(link))
          links.delete(link)
        },
        announcement: (payload) => handler.announcement(payload),
      }),
    stop: () => network.stop(),
    announce: (payload) => network.announce(payload),
    introduce: (via, peers) => network.introduce(via, peers),
    addresses: () => network.addresses(),
    status: () => network.status(),
  }
}
