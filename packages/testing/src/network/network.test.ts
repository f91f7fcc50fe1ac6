import { fromUtf8, utf8, type DeviceId, type Link, type NetworkHandler } from '@peerplane/core'
import { describe, expect, test } from 'vitest'

import { SimClock } from '../world/clock.ts'
import { SimProcess } from '../world/process.ts'
import { SimWorld } from '../world/world.ts'
import { SimNetwork } from './network.ts'
import { SimNode } from './node.ts'

/** A handler that greets in the handshake and keeps what it receives. */
class Listener implements NetworkHandler {
  readonly links: Link[] = []
  readonly heard: string[] = []
  readonly gossip: string[] = []
  readonly gone: string[] = []
  refuse = false
  /** Virtual work per frame. */
  busy: (() => Promise<void>) | undefined
  readonly #name: string

  constructor(name: string) {
    this.#name = name
  }

  async authenticate(channel: Parameters<NetworkHandler['authenticate']>[0]) {
    await channel.send(utf8(this.#name))
    const name = fromUtf8(await channel.receive())
    if (this.refuse) throw new Error('refused')
    return { device: name as DeviceId, anchor: false }
  }

  connected(link: Link): void {
    this.links.push(link)
  }

  async frame(_link: Link, frame: Uint8Array): Promise<void> {
    this.heard.push(fromUtf8(frame))
    await this.busy?.()
  }

  disconnected(link: Link): void {
    this.links.splice(this.links.indexOf(link), 1)
    this.gone.push(link.peer)
  }

  announcement(payload: Uint8Array): boolean {
    this.gossip.push(fromUtf8(payload))
    return true
  }
}

function setUp(seed: number, edges: Record<string, string[]>) {
  const world = new SimWorld(seed)
  const network = new SimNetwork(world)
  const nodes: Record<string, SimNode> = {}
  const listeners: Record<string, Listener> = {}
  const processes: Record<string, SimProcess> = {}
  for (const [name, dial] of Object.entries(edges)) {
    processes[name] = new SimProcess(name, world, new SimClock(world, 0, 1))
    nodes[name] = new SimNode(network, processes[name], name, dial)
    listeners[name] = new Listener(name)
    void nodes[name].start(listeners[name])
  }
  return { world, network, nodes, listeners, processes, a: listeners.a!, b: listeners.b! }
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => String(i))

describe('links', () => {
  test('two nodes prove themselves, then frames arrive in order', async () => {
    const { world, a, b } = setUp(1, { a: ['b'], b: [] })
    await world.run(1000)
    expect(a.links.map(({ identity }) => identity.device)).toEqual(['b'])
    expect(b.links.map(({ identity }) => identity.device)).toEqual(['a'])
    for (const text of numbers(100)) void a.links[0]!.send(utf8(text))
    await world.run(2000)
    expect(b.heard).toEqual(numbers(100))
  })

  test('nobody gets a link who is refused, and dialling goes on', async () => {
    const { world, a, b } = setUp(2, { a: ['b'], b: [] })
    b.refuse = true
    await world.run(5000)
    expect([a.links.length, b.links.length]).toEqual([0, 0])
    b.refuse = false
    await world.run(15_000)
    expect([a.links.length, b.links.length]).toEqual([1, 1])
  })

  test('a slow reader slows the writer down', async () => {
    const { world, a, b } = setUp(3, { a: ['b'], b: [] })
    b.busy = () => new Promise((resolve) => world.after(100, resolve))
    await world.run(1000)
    let taken = 0
    const frame = new Uint8Array(100_000)
    const write = async (): Promise<void> => {
      for (let i = 0; i < 50; i++, taken++) await a.links[0]!.send(frame)
    }
    void write()
    await world.run(2000)
    expect(taken).toBeLessThan(20)
    await world.run(20_000)
    expect(b.heard).toHaveLength(50)
  })

  test('frames of a paused process wait for it, in order', async () => {
    const { world, a, b, processes } = setUp(4, { a: ['b'], b: [] })
    await world.run(1000)
    processes.b!.pause(5000)
    for (const text of numbers(50)) void a.links[0]!.send(utf8(text))
    await world.run(4900)
    expect(b.heard).toEqual([])
    await world.run(6000)
    expect(b.heard).toEqual(numbers(50))
  })
})

describe('faults', () => {
  test('a short cut delays, one way only', async () => {
    const { world, network, a, b } = setUp(5, { a: ['b'], b: [] })
    await world.run(1000)
    network.cut('a', 'b')
    void a.links[0]!.send(utf8('there'))
    void b.links[0]!.send(utf8('back'))
    await world.run(1500)
    expect([b.heard, a.heard]).toEqual([[], ['back']])
    network.heal('a', 'b')
    await world.run(2000)
    expect(b.heard).toEqual(['there'])
  })

  test('a long cut ends the link; after it is healed there is a new one', async () => {
    const { world, network, a, b } = setUp(6, { a: ['b'], b: [] })
    await world.run(1000)
    network.cut('b', 'a')
    await world.run(60_000)
    expect([a.links.length, b.links.length]).toEqual([0, 0])
    network.heal('b', 'a')
    await world.run(70_000)
    expect([a.links.length, b.links.length]).toEqual([1, 1])
  })

  test('after a reset one side may believe in the link for a while; nobody gets anything through it', async () => {
    const { world, network, a, b } = setUp(7, { a: ['b'], b: [] })
    await world.run(1000)
    network.weather.halfOpenMs = 20_000
    network.reset('a', 'b')
    await world.run(1001)
    const believer = a.links.length > 0 ? a : b
    void believer.links[0]!.send(utf8('lost'))
    await world.run(60_000)
    expect([...a.heard, ...b.heard]).toEqual([])
    expect([a.links.length, b.links.length]).toEqual([1, 1])
  })

  test('a better path takes over while frames are in flight on the old one', async () => {
    const { world, network, nodes, a, b } = setUp(8, { a: ['b'], b: [] })
    network.setWeather('a', 'b', { latencyMs: 80, jitterMs: 0, rate: 1000 })
    await world.run(1000)
    const old = a.links[0]!
    nodes.a!.upgrade(nodes.b!, 'webrtc')
    while (a.links.length < 2) {
      void old.send(utf8('old'))
      await world.run(world.now + 10)
    }
    void a.links[1]!.send(utf8('new'))
    await world.run(5000)
    expect(a.links.map(({ path }) => path)).toEqual(['webrtc'])
    expect(b.links.map(({ path }) => path)).toEqual(['webrtc'])
    expect(b.heard).toContain('new')
    expect(b.heard).toContain('old')
  })

  test('announcements reach everybody who is connected somehow; they are lost, copied and overtake each other', async () => {
    const { world, network, nodes, listeners } = setUp(9, { a: ['b'], b: ['c'], c: [], d: [] })
    await world.run(1000)
    nodes.a!.announce(utf8('hello'))
    await world.run(2000)
    const gossip = () => Object.values(listeners).map((each) => each.gossip.length)
    expect(gossip()).toEqual([0, 1, 1, 0])
    network.weather = {
      ...network.weather,
      announcementLoss: 0.3,
      announcementCopies: 0.3,
      announcementDelayMs: 500,
    }
    for (const text of numbers(100)) nodes.a!.announce(utf8(text))
    await world.run(10_000)
    const heard = listeners.c!.gossip.slice(1).map(Number)
    expect(new Set(heard).size).toBeLessThan(90)
    expect(heard.length).toBeGreaterThan(new Set(heard).size)
    expect(heard).not.toEqual(heard.toSorted((x, y) => x - y))
  })

  test('a stopped node has no connection and is redialled when it starts again', async () => {
    const { world, nodes, a, b } = setUp(10, { a: ['b'], b: [] })
    await world.run(1000)
    void nodes.b!.stop()
    await world.run(5000)
    expect([a.links.length, b.links.length]).toEqual([0, 0])
    expect(nodes.b!.status()).toMatchObject({ started: false, connections: [] })
    void nodes.b!.start(b)
    await world.run(15_000)
    expect([a.links.length, b.links.length]).toEqual([1, 1])
  })
})
