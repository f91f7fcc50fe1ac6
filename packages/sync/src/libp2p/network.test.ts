import { connect, type Socket } from 'node:net'

import {
  fromUtf8,
  limits,
  PeerplaneError,
  utf8,
  type Channel,
  type DeviceId,
  type Identity,
  type Link,
  type Network,
  type NetworkHandler,
} from '@peerplane/core'
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { ConnectionEncrypter, MessageStream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { afterEach, describe, expect, it, vi } from 'vitest'

import { ENCRYPTER } from './gate.ts'
import { HandshakeChannel } from './handshake-channel.ts'
import { createLibp2pNetwork } from './network.ts'

const TOPIC = 'topic of a test'

const scheduler = {
  after: (delayMs: number, task: () => void): (() => void) => {
    const timer = setTimeout(task, delayMs)
    return () => clearTimeout(timer)
  },
}
const random = { bytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)) }

interface PeerOptions {
  readonly anchor?: boolean
  readonly listen?: string
  readonly dial?: readonly string[]
  readonly secret?: string
  /** How many peers an anchor relays for. */
  readonly seats?: number
}

/** A peer that proves itself with a shared word and remembers what happened. */
class Peer implements NetworkHandler {
  readonly network: Network
  readonly links = new Map<string, Link>()
  readonly opened: Link[] = []
  readonly frames: string[] = []
  readonly announcements: string[] = []
  bytes = 0
  garbage = 0
  readonly #options: PeerOptions

  constructor(network: Network, options: PeerOptions) {
    this.network = network
    this.#options = options
  }

  async authenticate(channel: Channel): Promise<Identity> {
    const { secret = 'secret', anchor = false } = this.#options
    await channel.send(utf8(`${secret} ${anchor}`))
    const [theirs, anchored] = fromUtf8(await channel.receive()).split(' ')
    if (theirs !== secret) throw new PeerplaneError('handshake-failed', 'Another secret')
    return { device: channel.remotePeer as DeviceId, anchor: anchored === 'true' }
  }

  connected(link: Link): void {
    this.links.set(link.peer, link)
    this.opened.push(link)
  }

  async frame(_link: Link, frame: Uint8Array): Promise<void> {
    this.bytes += frame.length
    this.frames.push(fromUtf8(frame.subarray(0, 100)))
    await Promise.resolve()
  }

  disconnected(link: Link): void {
    if (this.links.get(link.peer) === link) this.links.delete(link.peer)
  }

  announcement(payload: Uint8Array): boolean {
    const said = fromUtf8(payload)
    if (said.startsWith('garbage')) {
      this.garbage += 1
      return false
    }
    this.announcements.push(said)
    return true
  }

  linkTo(other: Peer): Link | undefined {
    return this.links.get(other.network.localPeer)
  }
}

const peers: Peer[] = []
const cleanups: (() => unknown)[] = []

const start = async (options: PeerOptions): Promise<Peer> => {
  const { anchor = false, listen = '/ip4/127.0.0.1/tcp/0', dial = [], seats = 64 } = options
  const reservations = { applyDefaultLimit: false, maxReservations: seats }
  const network = await createLibp2pNetwork({
    anchor,
    topic: TOPIC,
    listen: listen ? [listen] : [],
    announce: [],
    dial,
    transports: [tcp(), ...(anchor ? [] : [circuitRelayTransport()])],
    ...(anchor && { relay: circuitRelayServer({ reservations }) }),
    webrtc: false,
    clock: { now: () => Date.now() },
    scheduler,
    random,
  })
  const peer = new Peer(network, options)
  peers.push(peer)
  await network.start(peer)
  return peer
}

/** Noise under the name `protocol`, and what the side that calls does over it before anything else. */
const noiseAs =
  (
    protocol: string,
    then: (secured: MessageStream) => Promise<void> = () => Promise.resolve(),
  ): ((components: Parameters<ReturnType<typeof noise>>[0]) => ConnectionEncrypter) =>
  (components) => {
    const inner = noise()(components)
    return {
      protocol,
      secureInbound: async (stream, options) => inner.secureInbound(stream, options),
      secureOutbound: async (stream, options) => {
        const secured = await inner.secureOutbound(stream, options)
        await then(secured.connection)
        return secured
      },
    }
  }

const hidden = async (anchor: Peer, secret = 'secret'): Promise<Peer> =>
  start({ listen: '', dial: anchor.network.addresses(), secret })

const waitFor = async (check: () => void, timeout = 5_000): Promise<void> => {
  await vi.waitFor(check, { timeout, interval: 20 })
}

const linked = async (...all: Peer[]): Promise<void> =>
  waitFor(() => {
    for (const one of all) {
      for (const other of all) if (one !== other) expect(one.linkTo(other)).toBeDefined()
    }
  })

afterEach(async () => {
  await Promise.all(peers.splice(0).map(async ({ network }) => network.stop()))
  for (const clean of cleanups.splice(0)) await clean()
})

describe('libp2p network', () => {
  it('connects admitted peers and carries frames in order, both ways', async () => {
    const anchor = await start({ anchor: true })
    const member = await hidden(anchor)
    await linked(anchor, member)
    const out = member.linkTo(anchor)
    const back = anchor.linkTo(member)
    expect(out).toMatchObject({ path: 'anchor', identity: { anchor: true } })
    expect(back).toMatchObject({ path: 'anchor', identity: { anchor: false } })
    const words = Array.from({ length: 500 }, (_, at) => `frame ${at}`)
    for (const word of words) {
      void out?.send(utf8(word))
      void back?.send(utf8(word))
    }
    await waitFor(() => expect(anchor.frames).toEqual(words))
    await waitFor(() => expect(member.frames).toEqual(words))
    expect(member.network.status().connections).toEqual([
      { peer: anchor.network.localPeer, path: 'anchor' },
    ])
  })

  it('reaches introduced peers through the anchor, without limit, and directly where it can', async () => {
    const anchor = await start({ anchor: true })
    const [a, b] = [await hidden(anchor), await hidden(anchor)]
    await linked(anchor, a)
    await linked(anchor, b)
    a.network.introduce(anchor.network.localPeer, [{ peer: b.network.localPeer, addresses: [] }])
    b.network.introduce(anchor.network.localPeer, [{ peer: a.network.localPeer, addresses: [] }])
    await linked(a, b)
    expect(a.linkTo(b)?.path).toBe('relay')
    const size = 256 * 1024
    for (let at = 0; at < 16; at += 1) await a.linkTo(b)?.send(new Uint8Array(size))
    await waitFor(() => expect(b.bytes).toBe(16 * size))

    const open = await start({ dial: anchor.network.addresses() })
    await linked(anchor, open)
    const hint = { peer: open.network.localPeer, addresses: open.network.addresses() }
    a.network.introduce(anchor.network.localPeer, [hint])
    await linked(a, open)
    expect(a.linkTo(open)?.path).toBe('direct')
  })

  it('climbs to a better path while the old one works, and gossip follows', async () => {
    const anchor = await start({ anchor: true })
    const a = await hidden(anchor)
    const b = await start({ dial: anchor.network.addresses() })
    await linked(anchor, a)
    await linked(anchor, b)
    const via = anchor.network.localPeer
    a.network.introduce(via, [{ peer: b.network.localPeer, addresses: [] }])
    b.network.introduce(via, [{ peer: a.network.localPeer, addresses: [] }])
    await linked(a, b)
    expect(a.linkTo(b)?.path).toBe('relay')
    let sent = 0
    const talking = setInterval(() => void a.linkTo(b)?.send(utf8(`word ${sent++}`)), 1)
    const addresses = b.network.addresses()
    a.network.introduce(via, [{ peer: b.network.localPeer, addresses }])
    await waitFor(() => expect(a.linkTo(b)?.path).toBe('direct'))
    await waitFor(() => expect(b.linkTo(a)?.path).toBe('direct'))
    await anchor.network.stop()
    await waitFor(() => {
      expect(a.network.status().connections.map(({ path }) => path)).toEqual(['direct'])
      expect(b.network.status().connections.map(({ path }) => path)).toEqual(['direct'])
    })
    clearInterval(talking)
    const words = Array.from({ length: sent }, (_, at) => `word ${at}`)
    await waitFor(() => expect(new Set(b.frames)).toEqual(new Set(words)))
    await waitFor(() => {
      a.network.announce(utf8('without the anchor'))
      expect(b.announcements).toContain('without the anchor')
    })
  })

  it('gossips announcements among all, equal ones too', async () => {
    const anchor = await start({ anchor: true })
    const [a, b] = [await hidden(anchor), await hidden(anchor)]
    await linked(anchor, a)
    await linked(anchor, b)
    // Gossip forms its mesh once a second; what is said before may get lost.
    await waitFor(() => {
      a.network.announce(utf8('from a'))
      expect(b.announcements).toContain('from a')
      expect(anchor.announcements).toContain('from a')
    })
    for (let round = 0; round < 3; round += 1) anchor.network.announce(utf8('the same'))
    const same = (): string[] => b.announcements.filter((said) => said === 'the same')
    await waitFor(() => expect(same()).toHaveLength(3))
    a.network.announce(new Uint8Array(limits.announcementBytes + 1))
    a.network.announce(new Uint8Array(limits.announcementBytes).fill(65))
    await waitFor(() => {
      expect(b.announcements.filter(({ length }) => length > 1000)).toHaveLength(1)
    })
  })

  it('comes back when the anchor was restarted under another id, and takes its place there', async () => {
    const anchor = await start({ anchor: true })
    const [address] = anchor.network.addresses()
    const [a, b] = [await hidden(anchor), await hidden(anchor)]
    await linked(anchor, a)
    await linked(anchor, b)
    await anchor.network.stop()
    await waitFor(() => expect(a.links.size + b.links.size).toBe(0))
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(a.network.status().lastError).toContain('ECONNREFUSED')

    const again = await start({ anchor: true, listen: address ?? '' })
    expect(again.network.localPeer).not.toBe(anchor.network.localPeer)
    const restarted = performance.now()
    await linked(again, a)
    await linked(again, b)
    expect(performance.now() - restarted).toBeLessThan(3_000)
    a.network.introduce(again.network.localPeer, [{ peer: b.network.localPeer, addresses: [] }])
    b.network.introduce(again.network.localPeer, [{ peer: a.network.localPeer, addresses: [] }])
    await linked(a, b)
  })

  it('frees the place of a peer that has gone', async () => {
    const anchor = await start({ anchor: true, seats: 2 })
    for (let turn = 0; turn < 3; turn += 1) {
      const [a, b] = [await hidden(anchor), await hidden(anchor)]
      await linked(anchor, a)
      await linked(anchor, b)
      a.network.introduce(anchor.network.localPeer, [{ peer: b.network.localPeer, addresses: [] }])
      b.network.introduce(anchor.network.localPeer, [{ peer: a.network.localPeer, addresses: [] }])
      await linked(a, b)
      await a.network.stop()
      await b.network.stop()
    }
  })

  it('keeps one connection between two peers that dial each other', async () => {
    const a = await start({ anchor: true, listen: '/ip4/127.0.0.1/tcp/0' })
    const port = multiaddr(a.network.addresses()[0] ?? '')
    const b = await start({ anchor: true, dial: [port.toString()] })
    await linked(a, b)
    await a.network.stop()
    const c = await start({ anchor: true, listen: port.toString(), dial: b.network.addresses() })
    await linked(b, c)
    await new Promise((resolve) => setTimeout(resolve, 3_000))
    expect(b.network.status().connections).toHaveLength(1)
    expect(c.network.status().connections).toHaveLength(1)
    c.frames.length = 0
    await b.linkTo(c)?.send(utf8('still here'))
    await waitFor(() => expect(c.frames).toEqual(['still here']))
  })

  it('has no connection after a stop, and comes back after a start', async () => {
    const anchor = await start({ anchor: true })
    const member = await hidden(anchor)
    await linked(anchor, member)
    await member.network.stop()
    expect(member.network.status()).toMatchObject({ started: false, connections: [] })
    expect(member.links.size).toBe(0)
    await waitFor(() => expect(anchor.network.status().connections).toEqual([]), 1_000)
    await member.network.start(member)
    await linked(anchor, member)
  })

  it('says so when the port is taken', async () => {
    const anchor = await start({ anchor: true })
    const [listen = ''] = anchor.network.addresses()
    await expect(start({ listen })).rejects.toMatchObject({
      code: 'port-in-use',
      message: expect.stringMatching(/^127\.0\.0\.1:\d+ is taken\./) as string,
    })
  })
})

describe('libp2p network and strangers', () => {
  const alone = (anchor: Peer): void => {
    expect(anchor.opened).toEqual([])
    expect(anchor.network.status().connections).toEqual([])
  }

  it('a peer with the same program and another secret is cut off', async () => {
    const anchor = await start({ anchor: true })
    const stranger = await hidden(anchor, 'guess')
    await waitFor(() => expect(stranger.network.status().lastError).toContain('Another secret'))
    alone(anchor)
    expect(stranger.links.size).toBe(0)
    expect(anchor.network.status().lastError).toContain('Another secret')
    expect(anchor.network.status().refused.stranger).toBeGreaterThan(0)
  })

  it('a peer that skips the handshake gets no stream, no gossip and no relay', async () => {
    const anchor = await start({ anchor: true })
    const member = await hidden(anchor)
    await linked(anchor, member)
    anchor.opened.length = 0
    const stranger = await createLibp2p({
      transports: [tcp(), circuitRelayTransport()],
      connectionEncrypters: [noiseAs(ENCRYPTER)],
      streamMuxers: [yamux()],
      services: { identify: identify(), gossip: gossipsub({ allowedTopics: [TOPIC] }) },
    })
    cleanups.push(async () => stranger.stop())
    stranger.services.gossip.subscribe(TOPIC)
    const heard: unknown[] = []
    stranger.services.gossip.addEventListener('message', (event) => heard.push(event.detail))
    const [address = ''] = anchor.network.addresses()
    const doors = [
      '/peerplane/link/1',
      '/ipfs/id/1.0.0',
      '/ipfs/ping/1.0.0',
      '/meshsub/1.2.0',
      '/libp2p/circuit/relay/0.2.0/hop',
      '/libp2p/circuit/relay/0.2.0/stop',
      '/webrtc-signaling/0.0.1',
    ]
    for (const door of doors) {
      const opening = stranger.dialProtocol(multiaddr(address), door)
      await expect(opening).rejects.toBeInstanceOf(Error)
    }
    const through = `${address}/p2p/${anchor.network.localPeer}/p2p-circuit/p2p/${member.network.localPeer}`
    await expect(stranger.dial(multiaddr(through))).rejects.toBeInstanceOf(Error)
    for (let round = 0; round < 20; round += 1) {
      anchor.network.announce(utf8('for members'))
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    expect(heard).toEqual([])
    expect(stranger.services.gossip.getSubscribers(TOPIC)).toEqual([])
    expect(anchor.opened).toEqual([])
    expect(anchor.network.status().connections.map(({ peer }) => peer)).toEqual([
      member.network.localPeer,
    ])
    expect(member.opened).toHaveLength(1)
  })

  it('a peer that speaks plain Noise is turned away at once', async () => {
    const anchor = await start({ anchor: true })
    const stranger = await createLibp2p({
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
    })
    cleanups.push(async () => stranger.stop())
    const [address = ''] = anchor.network.addresses()
    const since = performance.now()
    await expect(stranger.dial(multiaddr(address))).rejects.toBeInstanceOf(Error)
    // It does not wait until its time is over.
    expect(performance.now() - since).toBeLessThan(limits.handshakeMs / 2)
    alone(anchor)
  })

  it('a peer that sends too much before it is admitted is cut off', async () => {
    const anchor = await start({ anchor: true })
    const stranger = await createLibp2p({
      transports: [tcp()],
      connectionEncrypters: [
        noiseAs(ENCRYPTER, async (secured) => {
          secured.send(new Uint8Array(limits.handshakeBytes * 4))
          await Promise.resolve()
        }),
      ],
      streamMuxers: [yamux()],
    })
    cleanups.push(async () => stranger.stop())
    const [address = ''] = anchor.network.addresses()
    await stranger.dial(multiaddr(address)).catch(() => undefined)
    await waitFor(() => expect(anchor.network.status().lastError).toBeDefined())
    await waitFor(() => expect(stranger.getConnections()).toEqual([]))
    expect(anchor.network.status().refused).toEqual({ oversized: 1 })
    alone(anchor)
  })

  it('a member that announces a giant frame to the multiplexer is cut off', async () => {
    const anchor = await start({ anchor: true })
    const giant = new Uint8Array(64 * 1024)
    new DataView(giant.buffer).setUint32(4, 1)
    new DataView(giant.buffer).setUint32(8, 99 * 1024 * 1024)
    const member = await createLibp2p({
      transports: [tcp()],
      connectionEncrypters: [
        noiseAs(ENCRYPTER, async (secured) => {
          const ends = { localPeer: 'a', remotePeer: 'b', initiator: true }
          const channel = new HandshakeChannel(secured, ends, undefined)
          await channel.send(utf8('secret false'))
          await channel.receive()
          channel.release()
        }),
      ],
      streamMuxers: [
        () => ({
          protocol: yamux()().protocol,
          createStreamMuxer: (connection) => {
            const muxer = yamux()().createStreamMuxer(connection)
            connection.send(giant)
            return muxer
          },
        }),
      ],
    })
    cleanups.push(async () => member.stop())
    const [address = ''] = anchor.network.addresses()
    await member.dial(multiaddr(address)).catch(() => undefined)
    await waitFor(() => expect(anchor.network.status().refused).toEqual({ oversized: 1 }))
    await waitFor(() => expect(member.getConnections()).toEqual([]))
    alone(anchor)
  })

  it('a member that gossips garbage is cut off, its garbage is not forwarded, and announcements of others arrive', async () => {
    const anchor = await start({ anchor: true })
    const [liar, a, b] = [await hidden(anchor), await hidden(anchor), await hidden(anchor)]
    for (const peer of [liar, a, b]) await linked(anchor, peer)
    await waitFor(() => {
      liar.network.announce(utf8('well'))
      expect(a.announcements).toContain('well')
      expect(b.announcements).toContain('well')
    })
    for (let n = 0; n < 2_000; n += 1) liar.network.announce(utf8(`garbage ${n}`))
    await waitFor(() => expect(anchor.network.status().refused.garbage).toBe(1))
    await waitFor(() => expect(anchor.linkTo(liar)).toBeUndefined())
    await waitFor(() => {
      a.network.announce(utf8('from a'))
      expect(b.announcements).toContain('from a')
    })
    expect(a.garbage + b.garbage).toBe(0)
    expect(anchor.garbage).toBeLessThanOrEqual(limits.gossipGarbage)
  }, 20_000)

  it('closes a connection that stays silent', async () => {
    const anchor = await start({ anchor: true })
    const [address = ''] = anchor.network.addresses()
    const port = Number(address.split('/').at(-1))
    const socket = await new Promise<Socket>((resolve) => {
      const open = connect(port, '127.0.0.1', () => resolve(open))
    })
    cleanups.push(() => socket.destroy())
    socket.resume()
    const since = performance.now()
    await new Promise((resolve) => socket.on('close', resolve).on('error', () => undefined))
    expect(performance.now() - since).toBeLessThan(limits.handshakeMs + 2_000)
    alone(anchor)
  }, 20_000)
})
