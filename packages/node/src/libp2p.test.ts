import {
  fromUtf8,
  utf8,
  type DeviceId,
  type Link,
  type Network,
  type NetworkHandler,
} from '@peerplane/core'
import { systemPlatform } from '@peerplane/runtime'
import { createLibp2pNetwork } from '@peerplane/sync/libp2p'
import { webSockets } from '@libp2p/websockets'
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
  return begin(
    await createNodeNetwork({ anchor, topic, listen, dial, ...systemPlatform() }),
    anchor,
  )
}

async function begin(network: Network, anchor: boolean): Promise<Peer> {
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

  it('takes what the transport of browsers sends, in messages that are cut to the limit', async () => {
    const anchor = await start(true, loopback, [])
    const ws = anchor.network.addresses().filter((address) => address.endsWith('/ws'))
    const network = await createLibp2pNetwork({
      anchor: false,
      topic: 'topic of a test',
      listen: [],
      announce: [],
      dial: ws,
      transports: [webSockets()],
      webrtc: false,
      ...systemPlatform(),
    })
    const browser = await begin(network, false)
    await vi.waitFor(() => expect(browser.links).toHaveLength(1), { timeout: 5_000 })
    const frame = 'x'.repeat(1024 * 1024)
    await browser.links[0]?.send(utf8(frame))
    await vi.waitFor(() => expect(anchor.frames.map(({ length }) => length)).toEqual([1024 * 1024]))
    await anchor.links[0]?.send(utf8(frame))
    await vi.waitFor(() => expect(browser.frames).toHaveLength(1))
    expect(anchor.network.status().refused).toEqual({})
  })
})
