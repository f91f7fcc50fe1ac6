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
  type Scheduler,
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
  /** How many links there have been at once. */
  readonly most: () => number
  /** How many handshakes have begun. */
  readonly begun: () => number
}

interface StartOptions {
  readonly anchor?: boolean
  readonly dial?: readonly string[]
  readonly platform?: typeof platform
  /** A handshake ends after this. */
  readonly until?: Promise<void>
}

/** As long as it takes on a busy machine; nothing is slow because of it. */
const PATIENT = { timeout: 20_000, interval: 20 }

const cleanups: (() => unknown)[] = []
const platform = systemPlatform()

afterEach(async () => {
  await Promise.all(cleanups.splice(0).map(async (clean) => clean()))
})

async function start(device: string, options: StartOptions = {}): Promise<Peer> {
  const { anchor = false, dial = [] } = options
  const listen = anchor ? ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'] : []
  const topic = 'topic of a test'
  const network = await createNodeNetwork({
    ...(options.platform ?? platform),
    anchor,
    topic,
    listen,
    dial,
  })
  const links = new Set<Link>()
  let most = 0
  let begun = 0
  const handler: NetworkHandler = {
    authenticate: async (channel): Promise<Identity> => {
      await channel.send(utf8(`${device} ${anchor}`))
      const [theirs = '', anchored] = fromUtf8(await channel.receive()).split(' ')
      begun += 1
      channel.recognized()
      await options.until
      return { device: theirs as DeviceId, anchor: anchored === 'true' }
    },
    connected: (link) => {
      links.add(link)
      most = Math.max(most, links.size)
    },
    frame: async () => Promise.resolve(),
    disconnected: (link) => links.delete(link),
    announcement: () => true,
  }
  cleanups.push(() => network.stop())
  await network.start(handler)
  return { network, links, most: () => most, begun: () => begun }
}

async function anchorAt(
  options: StartOptions = {},
): Promise<{ anchor: Peer; tcp: string; ws: string }> {
  const anchor = await start('anchor', { ...options, anchor: true })
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

async function memberGetsIn(address: string): Promise<void> {
  const member = await start('newcomer', { dial: [address] })
  await vi.waitFor(() => expect(member.links.size).toBe(1), PATIENT)
}

/** A scheduler for which a stranger's time is over when the test says so, and not earlier. */
function patience(): { readonly scheduler: Scheduler; readonly end: () => void } {
  const waiting = new Set<() => void>()
  return {
    scheduler: {
      after: (delayMs, task) => {
        if (delayMs !== limits.handshakeMs) return platform.scheduler.after(delayMs, task)
        waiting.add(task)
        return () => waiting.delete(task)
      },
    },
    end: () => {
      for (const task of waiting) task()
    },
  }
}

describe('strangers', () => {
  it('who announce giant WebSocket messages are cut off before a byte of such a message is kept', async () => {
    const { anchor, ws } = await anchorAt()
    const sockets = await Promise.all(Array.from({ length: 16 }, () => stranger(ws)))
    const part = Buffer.alloc(256 * 1024)
    for (const socket of sockets) {
      socket.write(UPGRADE)
      socket.once('data', () => socket.write(Buffer.concat([frameHead(99 * 1024 * 1024), part])))
    }
    await vi.waitFor(() => expect(sockets.filter(isOpen)).toEqual([]), PATIENT)
    expect(anchor.network.status().refused.oversized).toBe(16)
    await memberGetsIn(ws)
  })

  it('who split a WebSocket message into very many pieces are cut off', async () => {
    const { anchor, ws } = await anchorAt()
    const socket = await stranger(ws)
    const first = Buffer.from([2, 0x81, 0, 0, 0, 0, 0])
    const piece = Buffer.from([0, 0x81, 0, 0, 0, 0, 0])
    socket.write(UPGRADE)
    socket.once('data', () =>
      socket.write(Buffer.concat([first, ...Array.from({ length: 500 }, () => piece)])),
    )
    await vi.waitFor(() => expect(isOpen(socket)).toBe(false), PATIENT)
    expect(anchor.network.status().refused.oversized).toBe(1)
  })

  const silences = {
    'say nothing over WebSocket': ['ws', ''],
    'send half a request': ['ws', 'GET / HTTP/1.1\r\nHost: x\r\nX-A: b\r\n'],
    'open a WebSocket and say nothing': ['ws', UPGRADE],
    'say nothing over TCP': ['tcp', ''],
  } as const

  it.each(Object.entries(silences))(
    'hold few seats, keep no member out, and are cut off after a timeout: they %s',
    async (_, [transport, opening]) => {
      const { scheduler, end } = patience()
      const { anchor, ...addresses } = await anchorAt({ platform: { ...platform, scheduler } })
      const address = addresses[transport]
      const sockets: Socket[] = []
      for (let host = 2; host < 8; host += 1) {
        for (let n = 0; n < 30; n += 1) {
          const socket = await stranger(address, `127.0.0.${host}`)
          if (isOpen(socket)) socket.write(opening)
          sockets.push(socket)
        }
      }
      await vi.waitFor(() => {
        expect(sockets.filter(isOpen).length).toBeLessThanOrEqual(limits.pendingConnections)
      }, PATIENT)
      await memberGetsIn(address)
      end()
      await vi.waitFor(() => expect(sockets.filter(isOpen)).toEqual([]), PATIENT)
      const { refused } = anchor.network.status()
      expect((refused.address ?? 0) + (refused['no-room'] ?? 0)).toBeGreaterThan(100)
      expect(refused.silent).toBeGreaterThan(0)
    },
    40_000,
  )

  it.each(['ws', 'tcp'] as const)(
    'never take the seat of a peer that has proved the secret, even if they share its address: %s',
    async (transport) => {
      let finish = (): void => undefined
      const until = new Promise<void>((resolve) => {
        finish = resolve
      })
      const { anchor, ...addresses } = await anchorAt({ until })
      const member = await start('slow', { dial: [addresses[transport]] })
      await vi.waitFor(() => expect(anchor.begun()).toBe(1), PATIENT)
      // Before its handshake ends, strangers have come three times as often as there are seats.
      for (let n = 0; n < 3 * limits.pendingConnections; n += 1) {
        await stranger(addresses[transport], '127.0.0.1')
      }
      await vi.waitFor(() => {
        const { refused } = anchor.network.status()
        expect(refused['no-room'] ?? 0).toBeGreaterThanOrEqual(limits.pendingConnections)
      }, PATIENT)
      finish()
      await vi.waitFor(() => expect(member.links.size).toBe(1), PATIENT)
      expect(anchor.begun()).toBe(1)
    },
    40_000,
  )

  it('who connect again and again from one address are slowed down', async () => {
    const clock = { now: () => 0 }
    const { anchor, tcp } = await anchorAt({ platform: { ...platform, clock } })
    for (let n = 0; n < 2 * limits.connectionsPerSecond; n += 1) {
      const socket = await stranger(tcp, '127.0.0.9')
      socket.destroy()
    }
    await vi.waitFor(() => {
      const { address } = anchor.network.status().refused
      expect(address).toBeGreaterThanOrEqual(limits.connectionsPerSecond)
    }, PATIENT)
  })
})

describe('a greedy device', () => {
  it('gets few links, however often it connects, and other devices can still connect', async () => {
    const { anchor, tcp, ws } = await anchorAt()
    for (let n = 0; n < 12; n += 1) await start('greedy', { dial: [n % 2 ? tcp : ws] })
    await vi.waitFor(() => {
      expect(anchor.network.status().refused.device).toBeGreaterThanOrEqual(4)
    }, PATIENT)
    await memberGetsIn(ws)
    // Those of the greedy device, and the newcomer.
    expect(anchor.most()).toBeLessThanOrEqual(limits.linksPerDevice + 1)
  }, 60_000)
})
