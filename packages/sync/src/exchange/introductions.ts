import { limits, type Link, type PeerHint } from '@peerplane/core'

import type { Introduction } from '../wire/messages.ts'

/** Which peer is introduced to which. */
export interface Introductions {
  connected(link: Link): void
  disconnected(link: Link): void
  /** What a peer has sent: its own addresses are kept, the others are returned as hints. */
  told(link: Link, peers: readonly Introduction[]): PeerHint[]
  /** Introductions that a link has not received yet; `undefined` when there are no new ones. */
  news(link: Link): Introduction[] | undefined
}

/**
 * Every device sends its own addresses. An anchor also introduces its peers to each other, because it relays for them; another peer passes on only
 * those that can be reached without it.
 */
export function createIntroductions(self: () => Introduction, isAnchor: boolean): Introductions {
  const links = new Map<string, Link>()
  const addresses = new Map<string, readonly string[]>()
  const lastTold = new Map<string, string>()

  const introductionOf = ({ id, peer, identity }: Link): Introduction => ({
    peer,
    addresses: addresses.get(id) ?? [],
    device: identity.device,
  })

  return {
    connected(link) {
      links.set(link.id, link)
    },
    disconnected(link) {
      links.delete(link.id)
      addresses.delete(link.id)
      lastTold.delete(link.id)
    },
    told(link, peers) {
      if (!links.has(link.id)) return []
      const own = peers.find(({ peer }) => peer === link.peer)
      if (own) addresses.set(link.id, own.addresses)
      const linked = new Set([...links.values()].map(({ peer }) => peer))
      return peers.filter(({ peer }) => !linked.has(peer) && peer !== self().peer)
    },
    news(link) {
      const me = self()
      const others = [...links.values()]
        .filter(({ peer }) => peer !== link.peer)
        .map(introductionOf)
        .filter((each) => isAnchor || each.addresses.length > 0)
      // The latest ones: an earlier peer has introduced itself to those that were there.
      const peers = [me, ...others.slice(1 - limits.peersPerMessage)]
      const text = JSON.stringify(peers)
      if (lastTold.get(link.id) === text) return undefined
      lastTold.set(link.id, text)
      return peers
    },
  }
}
