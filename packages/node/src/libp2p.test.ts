import { Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { queryObjects, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

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

/** For a loaded machine. */
const PATIENCE = { timeout: 20_000 }

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

interface End extends Peer {
  readonly link: Link
}

interface Relayed {
  readonly anchor: Peer
  readonly a: End
  readonly b: End
}

/** A relay, and two members with a link through it. */
async function relayed(): Promise<Relayed> {
  const anchor = await start(true, loopback, [])
  const [tcp = '', ws = ''] = anchor.network
    .addresses()
    .toSorted((one, other) => one.length - other.length)
  const a = await start(false, [], [tcp])
  const b = await start(false, [], [ws])
  await vi.waitFor(() => expect(anchor.links).toHaveLength(2), PATIENCE)
  await vi.waitFor(() => expect(a.links.concat(b.links)).toHaveLength(2), PATIENCE)
  const hint = (peer: Peer): { peer: string; addresses: string[] } => ({
    peer: peer.network.localPeer,
    addresses: [],
  })
  a.network.introduce(anchor.network.localPeer, [hint(b)])
  b.network.introduce(anchor.network.localPeer, [hint(a)])
  const found = ({ links }: Peer): Link | undefined => links.find(({ path }) => path === 'relay')
  await vi.waitFor(() => expect(found(a) && found(b)).toBeDefined(), PATIENCE)
  return { anchor, a: { ...a, link: found(a)! }, b: { ...b, link: found(b)! } }
}

/** Bytes of buffers that something holds. The engine frees buffers on another thread after it has collected them, so this asks until nothing more goes. */
async function heldBytes(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  let held = Infinity
  for (let unchanged = 0; unchanged < 3; unchanged++) {
    collect()
    await setTimeout(100)
    const { arrayBuffers } = process.memoryUsage()
    if (arrayBuffers < held) unchanged = 0
    held = Math.min(held, arrayBuffers)
  }
  return held
}

/** How many objects of each of these kinds are in use in this process. */
const objects = (): Record<string, number> =>
  Object.fromEntries(
    [AbortController, Set, Socket, Uint8Array].map((kind) => [
      kind.name,
      queryObjects(kind as never, { format: 'count' }),
    ]),
  )

const loopback = ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws']

afterEach(async () => {
  await Promise.all(peers.splice(0).map(async ({ network }) => network.stop()))
})

describe('network of a Node peer', () => {
  it('listens at TCP and WebSocket, and relays between members who listen nowhere', async () => {
    const { anchor, a, b } = await relayed()
    const addresses = anchor.network.addresses()
    expect(addresses).toHaveLength(2)
    expect(addresses.filter((address) => address.endsWith('/ws'))).toHaveLength(1)
    await a.link.send(utf8('through the relay'))
    await vi.waitFor(() => expect(b.frames).toEqual(['through the relay']), PATIENCE)
  })

  it('a relay keeps nothing of what it has forwarded', async () => {
    const { a, b } = await relayed()
    const sizes: number[] = []
    for (let round = 1; round <= 3; round++) {
      for (const [from, to] of [
        [a, b],
        [b, a],
      ] as const) {
        to.frames.length = 0
        for (let n = 0; n < 4; n++) await from.link.send(new Uint8Array(1 << 20))
        await vi.waitFor(() => expect(to.frames.length).toBe(4), PATIENCE)
        to.frames.length = 0
      }
      sizes.push(await heldBytes())
    }
    // Of the last 16 MiB half are from the one who called the other: a relay that keeps those keeps 8 MiB.
    expect(sizes[2]! - sizes[0]!).toBeLessThan(2 << 20)
  }, 60_000)

  it('no data is kept about peers that leave immediately after they have connected', async () => {
    const anchor = await start(true, loopback, [])
    const [address = ''] = anchor.network.addresses()
    const visit = async (): Promise<void> => {
      const guest = await start(false, [], [address])
      await vi.waitFor(() => expect(guest.links.length).toBeGreaterThan(0), PATIENCE)
      await guest.network.stop()
      peers.pop()
    }
    const left = async (): Promise<void> =>
      vi.waitFor(() => expect(anchor.links).toEqual([]), PATIENCE)
    await visit()
    await left()
    const before = objects()
    const visits = 20
    for (let i = 0; i < visits; i++) await visit()
    await left()
    // What libp2p knows of a peer goes five seconds after it. Counting costs seconds on a busy machine.
    await setTimeout(6_000)
    await vi.waitFor(
      () => {
        const grown = Object.entries(objects()).filter(
          ([kind, count]) => count - before[kind]! > (kind === 'Socket' ? 2 : visits / 2),
        )
        expect(grown).toEqual([])
      },
      { timeout: 60_000, interval: 2_000 },
    )
  }, 120_000)

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
    await vi.waitFor(() => expect(browser.links).toHaveLength(1), PATIENCE)
    const frame = 'x'.repeat(1024 * 1024)
    await browser.links[0]?.send(utf8(frame))
    await vi.waitFor(
      () => expect(anchor.frames.map(({ length }) => length)).toEqual([1024 * 1024]),
      PATIENCE,
    )
    await anchor.links[0]?.send(utf8(frame))
    await vi.waitFor(() => expect(browser.frames).toHaveLength(1), PATIENCE)
    expect(anchor.network.status().refused).toEqual({})
  })
})
