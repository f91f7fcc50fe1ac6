import {
  fromUtf8,
  utf8,
  type DeviceId,
  type Link,
  type Network,
  type NetworkHandler,
} from '@peerplane/core'
import { systemPlatform } from '@peerplane/runtime'
import { afterEach, describe, expect, it, vi } from 'vitest'

import { createNodeNetwork } from './libp2p.ts'

interface Peer {
  readonly network: Network
  readonly links: Link[]
  readonly frames: string[]
}

const peers: Peer[] = []

const start = async (
  anchor: boolean,
  listen: readonly string[],
  dial: readonly string[],
): Promise<Peer> => {
  const topic = 'topic of a test'
  const network = await createNodeNetwork({ anchor, topic, listen, dial, ...systemPlatform() })
  const links: Link[] = []
  const frames: string[] = []
  const handler: NetworkHandler = {
    authenticate: async (channel) => {
      await channel.send(utf8(String(anchor)))
      const theirs = fromUtf8(await channel.receive())
      return { device: channel.remotePeer as DeviceId, anchor: theirs === 'true' }
    },
    connected: (link) => links.push(link),
    frame: async (_link, frame) => {
      frames.push(fromUtf8(frame))
      await Promise.resolve()
    },
    disconnected: (link) => links.splice(links.indexOf(link), 1),
    announcement: () => true,
  }
  await network.start(handler)
  const peer = { network, links, frames }
  peers.push(peer)
  return peer
}

const loopback = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws']

afterEach(async () => {
  await Promise.all(peers.splice(0).map(async ({ network }) => network.stop()))
})

describe('network of a Node peer', () => {
  it('listens at TCP and WebSocket, and relays between members who listen nowhere', async () => {
    const anchor = await start(true, loopback, [])
    const addresses = anchor.network.addresses()
    const [tcp = '', ws = ''] = addresses.toSorted((a, b) => a.length - b.length)
    expect(addresses).toHaveLength(2)
    expect(ws).toMatch(/\/ws$/)
    const a = await start(false, [], [tcp])
    const b = await start(false, [], [ws])
    await vi.waitFor(() => expect(anchor.links).toHaveLength(2))
    await vi.waitFor(() => expect(a.links.concat(b.links)).toHaveLength(2))
    const hint = (peer: Peer): { peer: string; addresses: string[] } => ({
      peer: peer.network.localPeer,
      addresses: [],
    })
    a.network.introduce(anchor.network.localPeer, [hint(b)])
    b.network.introduce(anchor.network.localPeer, [hint(a)])
    const relayed = ({ links }: Peer): Link | undefined =>
      links.find(({ path }) => path === 'relay')
    await vi.waitFor(() => expect(relayed(a) && relayed(b)).toBeDefined(), { timeout: 5_000 })
    await relayed(a)?.send(utf8('through the relay'))
    await vi.waitFor(() => expect(b.frames).toEqual(['through the relay']))
  })
})
