import { connect, type Socket } from 'node:net'

import {
  fromUtf8,
  limits,
  utf8,
  type DeviceId,
  type Identity,
  type Link,
  type Network,
  type NetworkHandler,
} from '@peerplane/core'
import { systemPlatform } from '@peerplane/runtime'
import { afterEach, describe, expect, it, vi } from 'vitest'

import { createNodeNetwork } from './libp2p.ts'

/*
 * Strangers and greedy devices, with real sockets. They come from addresses of this machine that stand for nobody else, 127.0.0.2 and so on;
 * members come from 127.0.0.1.
 */

interface Peer {
  readonly network: Network
  readonly links: Set<Link>
  /** How many links there have been. */
  readonly opened: () => number
}

const cleanups: (() => unknown)[] = []
const platform = systemPlatform()

afterEach(async () => {
  await Promise.all(cleanups.splice(0).map(async (clean) => clean()))
})

async function start(
  device: string,
  options: { readonly anchor?: boolean; readonly dial?: readonly string[] } = {},
): Promise<Peer> {
  const { anchor = false, dial = [] } = options
  const listen = anchor ? ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'] : []
  const topic = 'topic of a test'
  const network = await createNodeNetwork({ anchor, topic, listen, dial, ...platform })
  const links = new Set<Link>()
  let opened = 0
  const handler: NetworkHandler = {
    authenticate: async (channel): Promise<Identity> => {
      await channel.send(utf8(`${device} ${anchor}`))
      const [theirs = '', anchored] = fromUtf8(await channel.receive()).split(' ')
      return { device: theirs as DeviceId, anchor: anchored === 'true' }
    },
    connected: (link) => {
      opened += 1
      links.add(link)
    },
    frame: async () => Promise.resolve(),
    disconnected: (link) => links.delete(link),
    announcement: () => true,
  }
  cleanups.push(() => network.stop())
  await network.start(handler)
  return { network, links, opened: () => opened }
}

async function anchorAt(): Promise<{ anchor: Peer; tcp: string; ws: string }> {
  const anchor = await start('anchor', { anchor: true })
  const addresses = anchor.network.addresses()
  const ws = addresses.find((address) => address.endsWith('/ws')) ?? ''
  const tcp = addresses.find((address) => !address.endsWith('/ws')) ?? ''
  return { anchor, tcp, ws }
}

const portOf = (address: string): number => Number(/tcp\/(\d+)/.exec(address)?.[1])

/** A socket of a stranger, and how much of what was written the system has taken. */
async function stranger(address: string, from = '127.0.0.2'): Promise<Socket> {
  const socket = connect({ port: portOf(address), host: '127.0.0.1', localAddress: from })
  socket.on('error', () => undefined)
  socket.resume()
  cleanups.push(() => socket.destroy())
  await new Promise((resolve) => {
    socket.once('connect', resolve).once('close', resolve)
  })
  return socket
}

const UPGRADE =
  'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n'

/** The head of a masked binary frame that announces `length` bytes. */
function frameHead(length: number, fin = true): Buffer {
  const head = Buffer.alloc(14)
  head[0] = (fin ? 0x80 : 0) | 2
  head[1] = 0x80 | 127
  head.writeBigUInt64BE(BigInt(length), 2)
  return head
}

const isOpen = (socket: Socket): boolean => !socket.destroyed && socket.readyState === 'open'

/** A new member gets in, within the time in which strangers are closed. */
async function memberGetsIn(address: string): Promise<void> {
  const member = await start('newcomer', { dial: [address] })
  await vi.waitFor(() => expect(member.links.size).toBe(1), { timeout: 6_000, interval: 20 })
}

describe('strangers', () => {
  it('who announce giant WebSocket messages are cut off before a byte of them is kept', async () => {
    const { anchor, ws } = await anchorAt()
    const sockets = await Promise.all(Array.from({ length: 16 }, () => stranger(ws)))
    const part = Buffer.alloc(256 * 1024)
    for (const socket of sockets) {
      socket.write(UPGRADE)
      socket.once('data', () => socket.write(Buffer.concat([frameHead(99 * 1024 * 1024), part])))
    }
    await vi.waitFor(() => expect(sockets.filter(isOpen)).toEqual([]), { timeout: 3_000 })
    expect(anchor.network.status().refused.oversized).toBe(16)
    await memberGetsIn(ws)
  })

  it('who cut a WebSocket message into very many pieces are cut off', async () => {
    const { anchor, ws } = await anchorAt()
    const socket = await stranger(ws)
    const first = Buffer.from([2, 0x81, 0, 0, 0, 0, 0])
    const piece = Buffer.from([0, 0x81, 0, 0, 0, 0, 0])
    socket.write(UPGRADE)
    socket.once('data', () =>
      socket.write(Buffer.concat([first, ...Array.from({ length: 500 }, () => piece)])),
    )
    await vi.waitFor(() => expect(isOpen(socket)).toBe(false), { timeout: 3_000 })
    expect(anchor.network.status().refused.oversized).toBe(1)
  })

  const silences = {
    'say nothing over WebSocket': ['ws', ''],
    'send half a request': ['ws', 'GET / HTTP/1.1\r\nHost: x\r\nX-A: b\r\n'],
    'open a WebSocket and say nothing': ['ws', UPGRADE],
    'say nothing over TCP': ['tcp', ''],
  } as const

  it('who are silent, or half silent, hold few places, keep no member out, and are gone in time', async () => {
    const left = async ([transport, opening]: readonly ['ws' | 'tcp', string]) => {
      const { anchor, ...addresses } = await anchorAt()
      const address = addresses[transport]
      const sockets: Socket[] = []
      for (let host = 2; host < 8; host += 1) {
        for (let n = 0; n < 30; n += 1) {
          const socket = await stranger(address, `127.0.0.${host}`)
          if (isOpen(socket)) socket.write(opening)
          sockets.push(socket)
        }
      }
      const since = performance.now()
      await vi.waitFor(() => {
        expect(sockets.filter(isOpen).length).toBeLessThanOrEqual(limits.pendingConnections)
      })
      await memberGetsIn(address)
      await vi.waitFor(() => expect(sockets.filter(isOpen)).toEqual([]), { timeout: 15_000 })
      expect(performance.now() - since).toBeLessThan(limits.handshakeMs + 5_000)
      return anchor.network.status().refused
    }
    for (const refused of await Promise.all(Object.values(silences).map(left))) {
      expect((refused.address ?? 0) + (refused['no-room'] ?? 0)).toBeGreaterThan(100)
      expect(refused.silent).toBeGreaterThan(0)
    }
  }, 40_000)

  it('who come again and again from one address are slowed down', async () => {
    const { anchor, tcp } = await anchorAt()
    for (let n = 0; n < 2 * limits.connectionsPerSecond; n += 1) {
      const socket = await stranger(tcp, '127.0.0.9')
      socket.destroy()
    }
    expect(anchor.network.status().refused.address).toBeGreaterThan(0)
  })
})

describe('a greedy device', () => {
  it('gets few links however often it calls, and others get in', async () => {
    const { anchor, tcp, ws } = await anchorAt()
    for (let n = 0; n < 12; n += 1) await start('greedy', { dial: [n % 2 ? tcp : ws] })
    await vi.waitFor(() => expect(anchor.opened()).toBeGreaterThanOrEqual(12), { timeout: 5_000 })
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(anchor.links.size).toBeLessThanOrEqual(limits.linksPerDevice)
    expect(anchor.network.status().refused.device).toBeGreaterThan(0)
    await memberGetsIn(ws)
  }, 30_000)
})
