import { queryObjects } from 'node:v8'

import type { CircuitRelayService } from '@libp2p/circuit-relay-v2'
import { noise } from '@libp2p/noise'
import type { Libp2p, PeerId, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { afterEach, expect, it, vi } from 'vitest'

import { boundedRelay } from './relay.ts'

const HOP = '/libp2p/circuit/relay/0.2.0/hop'
const STOP = '/libp2p/circuit/relay/0.2.0/stop'
const MiB = 1024 * 1024

const nodes: Libp2p[] = []

afterEach(async () => {
  await Promise.all(nodes.splice(0).map(async (node) => node.stop()))
})

async function node(relays = false): Promise<Libp2p> {
  const started = await createLibp2p({
    addresses: { listen: relays ? ['/ip4/127.0.0.1/tcp/0'] : [] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    ...(relays && { services: { relay: boundedRelay(8) } }),
  })
  nodes.push(started)
  return started
}

/** Messages of the relay protocol, with their lengths before them. */
const RESERVE = Uint8Array.of(2, 0x08, 0)
const ACCEPT = Uint8Array.of(4, 0x08, 1, 0x20, 100)
function connectTo(peer: PeerId): Uint8Array {
  const id = peer.toMultihash().bytes
  return Uint8Array.of(6 + id.length, 0x08, 1, 0x12, 2 + id.length, 0x0a, id.length, ...id)
}

const answer = async (stream: Stream): Promise<void> =>
  new Promise((resolve) => {
    stream.addEventListener('message', () => resolve(), { once: true })
  })

async function ask(stream: Stream, message: Uint8Array): Promise<void> {
  const answered = answer(stream)
  stream.send(message)
  await answered
}

it('one end of a relayed connection waits for the other, and no data is lost', async () => {
  const [relay, a, b] = await Promise.all([node(true), node(), node()])
  let received = 0
  const accepted = new Promise<Stream>((resolve) => {
    void b.handle(STOP, async (stream) => {
      await answer(stream)
      stream.send(ACCEPT)
      stream.addEventListener('message', ({ data }) => (received += data.byteLength))
      stream.pause()
      resolve(stream)
    })
  })
  await ask(await b.dialProtocol(relay.getMultiaddrs(), HOP), RESERVE)
  const hop = await a.dialProtocol(relay.getMultiaddrs(), HOP)
  await ask(hop, connectTo(b.peerId))
  const stop = await accepted
  const size = 8 * MiB
  for (let sent = 0; sent < size; sent += MiB) hop.send(new Uint8Array(MiB))
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  expect(hop.writeBufferLength).toBeGreaterThan(size - 3 * MiB)
  stop.resume()
  await vi.waitFor(() => expect(received).toBe(size), { timeout: 20_000, interval: 50 })
}, 40_000)

it('no data is kept about relay reservations that were renewed and released', async () => {
  const [relay, a] = await Promise.all([node(true), node()])
  const { reservations } = (relay.services as { relay: CircuitRelayService }).relay
  const turn = async (): Promise<void> => {
    for (let asked = 0; asked < 2; asked++) {
      await ask(await a.dialProtocol(relay.getMultiaddrs(), HOP), RESERVE)
    }
    expect(reservations.size).toBe(1)
    reservations.delete(a.peerId)
  }
  const controllers = (): number => queryObjects(AbortController, { format: 'count' })
  await turn()
  const before = controllers()
  for (let i = 0; i < 20; i++) await turn()
  await vi.waitFor(() => expect(controllers() - before).toBeLessThan(10), {
    timeout: 20_000,
    interval: 1_000,
  })
}, 40_000)
