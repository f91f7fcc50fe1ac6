import { concatBytes, limits, type PeerplaneError } from '@peerplane/core'
import type { Libp2p, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { afterEach, describe, expect, it, vi } from 'vitest'

import { BytePool } from '../bounds/byte-pool.ts'
import { encodeFrames, encodeHeader, frameCost } from './frame-codec.ts'
import { FrameStream } from './frame-stream.ts'

const PROTOCOL = '/test/1'
const nodes: Libp2p[] = []

const start = async (): Promise<Libp2p> => {
  const node = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
  })
  nodes.push(node)
  return node
}

/** Two ends of one stream between two nodes. */
const pair = async (): Promise<[Stream, Stream]> => {
  const [a, b] = await Promise.all([start(), start()])
  const incoming = new Promise<Stream>((resolve) => void b.handle(PROTOCOL, resolve))
  const outgoing = await a.dialProtocol(b.getMultiaddrs(), PROTOCOL)
  return [outgoing, await incoming]
}

interface Side {
  readonly stream: FrameStream
  readonly frames: Uint8Array[]
  readonly ended: Promise<PeerplaneError | undefined>
}

const side = (
  stream: Stream,
  take: () => Promise<void> = async () => {},
  pool = new BytePool(limits.linksBytes),
): Side => {
  const frames: Uint8Array[] = []
  const { promise: ended, resolve } = Promise.withResolvers<PeerplaneError | undefined>()
  const frameStream = new FrameStream(stream, {
    pool,
    frame: async (frame) => {
      frames.push(frame)
      await take()
    },
    closed: resolve,
  })
  return { stream: frameStream, frames, ended }
}

afterEach(async () => {
  await Promise.all(nodes.splice(0).map(async (node) => node.stop()))
})

describe('frame stream', () => {
  it('sends a last frame behind what has left before, and takes nothing from then on', async () => {
    for (const before of [0, 3, 60]) {
      const [left, right] = (await pair()).map((stream) => side(stream)) as [Side, Side]
      const sent = Array.from({ length: before }, (_, at) =>
        left.stream.send(new Uint8Array(10_000).fill(at)),
      )
      await Promise.all(sent)
      left.stream.leave(new Uint8Array([1, 2, 3]))
      await right.stream.send(new Uint8Array(7))
      await Promise.all([left.ended, right.ended])
      expect(left.frames).toEqual([])
      expect(right.frames).toHaveLength(before + 1)
      expect(right.frames.at(-1)).toEqual(new Uint8Array([1, 2, 3]))
    }
  })

  it('carries frames of all sizes in order, both ways', async () => {
    const [left, right] = (await pair()).map((stream) => side(stream)) as [Side, Side]
    const sizes = [0, 1, 65_536, limits.frameBytes, 3, 0, 300_000, limits.frameBytes]
    const frames = sizes.map((size, at) => new Uint8Array(size).fill(at))
    await Promise.all(frames.map(async (frame) => left.stream.send(frame)))
    await Promise.all(frames.map(async (frame) => right.stream.send(frame)))
    await vi.waitFor(() => expect(right.frames).toHaveLength(frames.length))
    await vi.waitFor(() => expect(left.frames).toHaveLength(frames.length))
    for (const { frames: arrived } of [left, right]) {
      expect(concatBytes(...arrived)).toEqual(concatBytes(...frames))
      expect(arrived.map(({ length }) => length)).toEqual(sizes)
    }
  })

  // R-FRAME-2, R-FRAME-3
  it('makes the sender wait for a receiver that is busy', async () => {
    const [a, b] = await pair()
    const left = side(a)
    const gate = Promise.withResolvers<void>()
    const right = side(b, async () => gate.promise)
    const size = 64 * 1024
    const total = (4 * limits.linkWindowBytes) / size
    let taken = 0
    for (let at = 0; at < total; at += 1) {
      void left.stream.send(new Uint8Array(size)).then(() => (taken += 1))
    }
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(taken).toBe(Math.ceil(limits.linkWindowBytes / frameCost(size)))
    expect(right.frames).toHaveLength(1)
    gate.resolve()
    await vi.waitFor(() => expect(right.frames).toHaveLength(total), 10_000)
    expect(taken).toBe(total)
  })

  // R-LINK-4
  it('delivers what was queued before the end', async () => {
    const [a, b] = await pair()
    const left = side(a)
    const right = side(b, async () => new Promise((resolve) => setTimeout(resolve, 5)))
    for (let at = 0; at < 20; at += 1) void left.stream.send(new Uint8Array([at]))
    left.stream.retire()
    expect(await right.ended).toBeUndefined()
    expect(await left.ended).toBeUndefined()
    expect(right.frames.map(([first]) => first)).toEqual(Array.from({ length: 20 }, (_, at) => at))
  })

  it('a link is closed with too-large when the peer announces a frame beyond the limit', async () => {
    const [raw, b] = await pair()
    const right = side(b)
    raw.send(encodeHeader(limits.frameBytes + 1))
    expect(await right.ended).toMatchObject({ code: 'too-large' })
    expect(right.frames).toEqual([])
  })

  it('closes with too-large rather than send such a frame', async () => {
    const [a, b] = await pair()
    const left = side(a)
    const right = side(b)
    await left.stream.send(new Uint8Array(limits.frameBytes + 1))
    expect(await left.ended).toMatchObject({ code: 'too-large' })
    expect(await right.ended).toMatchObject({ code: 'closed' })
  })

  // R-FRAME-4
  it('a link is closed with overloaded when the peer ignores the window', async () => {
    const [raw, b] = await pair()
    const right = side(b, async () => new Promise(() => {}))
    const frame = new Uint8Array(64 * 1024)
    const count = Math.ceil(limits.linkWindowBytes / frameCost(frame.length)) + 1
    raw.send(encodeFrames(Array.from({ length: count }, () => frame)))
    expect(await right.ended).toMatchObject({ code: 'overloaded' })
  })

  // R-FRAME-4
  it('closes with malformed when a peer acknowledges what was not sent', async () => {
    const [raw, b] = await pair()
    const right = side(b)
    raw.send(encodeHeader(1, true))
    expect(await right.ended).toMatchObject({ code: 'malformed' })
  })

  it('ends, and stops waiting, when the peer is gone', async () => {
    const [a, b] = await pair()
    const left = side(a)
    side(b, async () => new Promise(() => {}))
    const sent = left.stream.send(new Uint8Array(limits.frameBytes))
    const stuck = left.stream.send(new Uint8Array(limits.frameBytes))
    await sent
    await nodes[1]?.stop()
    await stuck
    await left.ended
    await left.stream.send(new Uint8Array(1))
  })

  it('when too much data waits in all links together, the link with the most waiting data is closed with overloaded', async () => {
    const pool = new BytePool(300_000)
    const [[a, small], [b, large]] = [await pair(), await pair()]
    const never = async (): Promise<void> => new Promise(() => {})
    const slow = [small, large].map((stream) => side(stream!, never, pool))
    void side(a).stream.send(new Uint8Array(100_000))
    await vi.waitFor(() => expect(slow[0]?.frames).toHaveLength(1))
    void side(b).stream.send(new Uint8Array(250_000))
    expect(await slow[1]?.ended).toMatchObject({ code: 'overloaded' })
    expect(small.status).toBe('open')
  })
})
