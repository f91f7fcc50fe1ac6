import type { Path } from '@peerplane/core'
import type { Connection } from '@libp2p/interface'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'

/** What to do when a connection ends. */
export const CONNECTS_AGAIN = 'The device reconnects automatically.'

/** Whether a text is a multiaddress. */
export function isMultiaddress(text: string): boolean {
  try {
    // The empty text is the address of nothing.
    return protocols(multiaddr(text)).length > 0
  } catch {
    // Ignored: the answer is that it is none.
    return false
  }
}

/** How a connection reaches its peer; `anchored` says that one of its ends is an anchor. */
export function pathOf(connection: Connection, anchored: boolean): Path {
  const parts = protocols(connection.remoteAddr)
  if (parts.includes('webrtc')) return 'webrtc'
  if (parts.includes('p2p-circuit')) return 'relay'
  return anchored ? 'anchor' : 'direct'
}

/** The address without the id of the peer at its end: network ids change with every start. */
export function withoutPeer(address: Multiaddr): Multiaddr {
  const parts = address.getComponents()
  return parts.at(-1)?.name === 'p2p' ? multiaddr(parts.slice(0, -1)) : address
}

/** The address, ending in the id of `peer`. */
export const withPeer = (address: string, peer: string): Multiaddr =>
  withoutPeer(multiaddr(address)).encapsulate(`/p2p/${peer}`)

/** Whether an address leads through a relay. */
export const isRelayed = (address: Multiaddr): boolean => protocols(address).includes('p2p-circuit')

const protocols = (address: Multiaddr): string[] => address.getComponents().map(({ name }) => name)
