import {
  fromUtf8,
  limits,
  utf8,
  type Channel,
  type DeviceId,
  type Identity,
  type Link,
  type Network,
} from '@peerplane/core'
import { systemPlatform } from '@peerplane/runtime'
import { createLibp2pNetwork, type Components, type TransportFactory } from '@peerplane/sync/libp2p'
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { memory } from '@libp2p/memory'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, expect, it, vi } from 'vitest'

import { boundedWebRTC } from './webrtc.ts'

/*
 * Three peers in one page: an anchor, which is reached in memory, and two members that find each other through it and then talk over WebRTC.
 */

const PATIENT = { timeout: 20_000, interval: 20 }
const cleanups: (() => unknown)[] = []
let names = 0

/** All WebRTC connections of this page, those of both ends; libp2p takes what makes them when it is loaded. */
const connections = vi.hoisted(() => {
  const made: RTCPeerConnection[] = []
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration)
      made.push(this)
    }
  }
  return made
})

afterEach(async () => {
  await Promise.all(cleanups.splice(0).map(async (clean) => clean()))
  connections.length = 0
})

interface Peer {
  readonly network: Network
  readonly links: Map<string, Link>
}

type Dial = ReturnType<TransportFactory>['dial']

/** Reaches an anchor of this page in memory, under an address that a relay may have. */
function towards(anchor: string): TransportFactory {
  return (components) => {
    const transport = memory()(components)
    const dial: Dial = transport.dial.bind(transport)
    transport.dialFilter = (addresses) =>
      addresses.filter((address) => withoutPeer(address.toString()) === addressOf(anchor))
    transport.dial = async (address, options) => {
      const upgrader = Object.create(options.upgrader, {
        upgradeOutbound: {
          value: async (...[connection, how]: Parameters<Upgrader['upgradeOutbound']>) =>
            options.upgrader.upgradeOutbound(
              Object.assign(connection, { remoteAddr: address }),
              how,
            ),
        },
      }) as Upgrader
      return dial(multiaddr(`/memory/${anchor}`), { ...options, upgrader })
    }
    return transport
  }
}

type Upgrader = Components['upgrader']

const addressOf = (anchor: string): string => `/dns4/${anchor}/tcp/1`
const withoutPeer = (address: string): string => address.replace(/\/p2p\/\w+$/, '')

async function start(device: string, name: string, isAnchor = false): Promise<Peer> {
  const network = await createLibp2pNetwork({
    ...systemPlatform(),
    anchor: isAnchor,
    topic: 'topic of a test',
    listen: isAnchor ? [`/memory/${name}`] : [],
    announce: [],
    dial: isAnchor ? [] : [addressOf(name)],
    transports: isAnchor
      ? [(components) => memory()(components)]
      : [towards(name), boundedWebRTC({}), circuitRelayTransport()],
    ...(isAnchor && {
      relay: circuitRelayServer({ reservations: { applyDefaultLimit: false } }),
    }),
    webrtc: !isAnchor,
  })
  const links = new Map<string, Link>()
  cleanups.push(() => network.stop())
  await network.start({
    authenticate: async (channel: Channel): Promise<Identity> => {
      await channel.send(utf8(`${device} ${isAnchor}`))
      const [theirs = '', anchored] = fromUtf8(await channel.receive()).split(' ')
      return { device: theirs as DeviceId, anchor: anchored === 'true' }
    },
    connected: (link) => links.set(link.peer, link),
    frame: async () => Promise.resolve(),
    disconnected: (link) => {
      if (links.get(link.peer) === link) links.delete(link.peer)
    },
    announcement: () => true,
  })
  return { network, links }
}

/** Two members with a link over WebRTC. */
async function pair(): Promise<readonly [Peer, Peer]> {
  const name = `anchor-${names++}`
  const anchor = await start('anchor', name, true)
  const one = await start('one', name)
  const other = await start('other', name)
  const { localPeer } = anchor.network
  const path = (from: Peer, to: Peer): string | undefined =>
    from.links.get(to.network.localPeer)?.path
  await vi.waitFor(() => {
    expect([one.links.has(localPeer), other.links.has(localPeer)]).toEqual([true, true])
    one.network.introduce(localPeer, [{ peer: other.network.localPeer, addresses: [] }])
    other.network.introduce(localPeer, [{ peer: one.network.localPeer, addresses: [] }])
    expect([path(one, other), path(other, one)]).toEqual(['webrtc', 'webrtc'])
  }, PATIENT)
  return [one, other]
}

/** A channel beside those that libp2p opens, at one end of a connection between members. */
async function channel(): Promise<RTCDataChannel> {
  const connection = connections.find(({ connectionState }) => connectionState === 'connected')
  const opened = connection!.createDataChannel('')
  await new Promise((resolve) => (opened.onopen = resolve))
  return opened
}

/** How often either of two peers cut the other off, and why. */
const refused = (one: Peer, other: Peer): object => {
  const all = [one, other].map(({ network }) => network.status().refused)
  return {
    oversized: all.reduce((sum, { oversized = 0 }) => sum + oversized, 0),
    flood: all.reduce((sum, { flood = 0 }) => sum + flood, 0),
  }
}

it('a member that announces a giant message over WebRTC is cut off', async () => {
  const [one, other] = await pair()
  const hostile = await channel()
  // 64 MiB, as the multiplexer reads a length.
  hostile.send(Uint8Array.of(0x80, 0x80, 0x80, 0x20))
  await vi.waitFor(() => {
    expect(refused(one, other)).toEqual({ oversized: 1, flood: 0 })
    expect(hostile.readyState).toBe('closed')
  }, PATIENT)
})

it('a member that opens channels over WebRTC without end is cut off', async () => {
  const [one, other] = await pair()
  const hostile = await channel()
  const connection = connections.find(({ connectionState }) => connectionState === 'connected')!
  for (let n = 0; n < 2 * limits.streams; n += 1) connection.createDataChannel('')
  await vi.waitFor(() => {
    expect(refused(one, other)).toEqual({ oversized: 0, flood: 1 })
    expect(hostile.readyState).toBe('closed')
  }, PATIENT)
})

it('a member that sends too much data on WebRTC channels without naming a protocol is cut off', async () => {
  const [one, other] = await pair()
  const hostile = await channel()
  const piece = new Uint8Array(16_002)
  piece.set([0x80, 0x7d])
  for (let n = 0; n < 20; n += 1) hostile.send(piece)
  await vi.waitFor(() => {
    expect(refused(one, other)).toEqual({ oversized: 0, flood: 1 })
    expect(hostile.readyState).toBe('closed')
  }, PATIENT)
})
