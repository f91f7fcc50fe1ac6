import type { Path } from '@peerplane/core'

import type { Recorder } from '../record/recorder.ts'
import { copyOf } from '../world/copies.ts'
import type { SimRandom } from '../world/random.ts'
import type { SimWorld } from '../world/world.ts'
import { ConnectionEnd, type NetworkNode } from './end.ts'
import { Pipe, type PipeWeather } from './pipe.ts'

/** What the network does to its users at the moment. */
export interface NetworkWeather {
  /** Probability that a frame is lost, which ends the connection and loses all that is in flight. */
  loss: number
  /** Probabilities for each receiver of a gossiped announcement. */
  announcementLoss: number
  announcementCopies: number
  /** Longest delay of an announcement, milliseconds: they overtake each other. */
  announcementDelayMs: number
  /** Longest time that one side goes on to believe in a connection that is gone, milliseconds. */
  halfOpenMs: number
  /** How long a cut connection is kept by the transports at most, milliseconds. */
  patienceMs: number
}

interface Connection {
  readonly ends: readonly [ConnectionEnd, ConnectionEnd]
  readonly pipes: readonly [Pipe, Pipe]
  over: boolean
}

/** The network between all devices of a world. */
export class SimNetwork {
  readonly world: SimWorld
  weather: NetworkWeather = {
    loss: 0,
    announcementLoss: 0,
    announcementCopies: 0,
    announcementDelayMs: 50,
    halfOpenMs: 0,
    patienceMs: 10_000,
  }
  readonly counts = {
    frames: 0,
    bytes: 0,
    announcements: 0,
    connections: 0,
    resets: 0,
    lostAnnouncements: 0,
    copiedAnnouncements: 0,
  }
  /** Reads along: called for every frame that arrives at a process. */
  onFrame: ((process: string, frame: Uint8Array) => void) | undefined
  recorder: Recorder | undefined
  readonly #nodes = new Map<string, NetworkNode>()
  readonly #cuts = new Set<string>()
  readonly #weathers = new Map<string, PipeWeather>()
  readonly #randoms = new Map<string, SimRandom>()
  #connections: Connection[] = []

  constructor(world: SimWorld) {
    this.world = world
  }

  /** Nodes that have been started, by network id. */
  get nodes(): ReadonlyMap<string, NetworkNode> {
    return this.#nodes
  }

  /** For nodes. */
  enter(node: NetworkNode): void {
    this.#nodes.set(node.peer, node)
  }

  /** For nodes: it has stopped, or its process is dead; the others notice in their time. */
  leave(node: NetworkNode): void {
    if (this.#nodes.get(node.peer) === node) this.#nodes.delete(node.peer)
    for (const connection of this.#connections.filter(({ ends }) =>
      ends.some(({ owner }) => owner === node),
    )) {
      this.#end(connection, node)
    }
  }

  /** The started node of a device. */
  nodeOf(device: string): NetworkNode | undefined {
    for (const node of this.#nodes.values()) if (node.device === device) return node
    return undefined
  }

  /** Sets how the path between two devices behaves, one way. */
  setWeather(from: string, to: string, weather: PipeWeather): void {
    this.#weathers.set(way(from, to), weather)
  }

  /** Lets nothing through from one device to another. Connections that need it end after a while unless the cut is healed. */
  cut(from: string, to: string): void {
    this.#cuts.add(way(from, to))
    for (const connection of this.#connections.filter((each) => joins(each, from, to))) {
      this.world.after(this.#random(from, to).between(0.2, 1) * this.weather.patienceMs, () => {
        if (this.isCut(from, to) || this.isCut(to, from)) this.#end(connection)
      })
    }
  }

  heal(from: string, to: string): void {
    if (!this.#cuts.delete(way(from, to))) return
    for (const connection of this.#connections) {
      if (joins(connection, from, to)) for (const pipe of connection.pipes) pipe.heal()
    }
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.has(way(from, to))
  }

  /** Pairs of devices that a connection joins, or is about to join. */
  connections(): (readonly [string, string])[] {
    return this.#connections.map(({ ends: [a, b] }) => [deviceOf(a), deviceOf(b)])
  }

  /** Ends the latest connection between two devices in the middle of whatever it carries; says whether there was one. */
  reset(one: string, other: string): boolean {
    const connection = this.#connections.findLast((each) => joins(each, one, other))
    if (!connection) return false
    this.counts.resets++
    this.#end(connection)
    return true
  }

  /** Pairs of peers that are linked, as the first of the two sees it. */
  links(): { readonly from: NetworkNode; readonly to: NetworkNode }[] {
    const pairs = []
    for (const from of this.#nodes.values()) {
      for (const peer of from.linkedPeers()) {
        const to = this.#nodes.get(peer)
        if (to) pairs.push({ from, to })
      }
    }
    return pairs
  }

  /** Connects two nodes if every direction is open. A connection between linked peers is a better path that takes over. */
  connect(from: NetworkNode, to: NetworkNode, path: Path): boolean {
    if (!this.#nodes.has(from.peer) || this.#nodes.get(to.peer) !== to) return false
    if (this.isCut(from.device, to.device) || this.isCut(to.device, from.device)) return false
    const order = ++this.counts.connections
    const closeBoth = (): void => this.#end(connection)
    const a = new ConnectionEnd(from, to.peer, { order, path, initiator: true, closeBoth })
    const b = new ConnectionEnd(to, from.peer, { order, path, initiator: false, closeBoth })
    const there = this.#pipe(from, to, () => connection, b)
    const back = this.#pipe(to, from, () => connection, a)
    const connection: Connection = { ends: [a, b], pipes: [there, back], over: false }
    this.#connections.push(connection)
    a.begin(there, back)
    b.begin(back, there)
    return true
  }

  /** Carries a gossiped announcement to everybody who is connected to its author, directly or through others. */
  announce(author: NetworkNode, payload: Uint8Array): void {
    const { announcementLoss, announcementCopies, announcementDelayMs } = this.weather
    for (const node of this.#reachable(author)) {
      if (node.random.chance(announcementLoss)) {
        this.counts.lostAnnouncements++
        continue
      }
      const copies = node.random.chance(announcementCopies) ? 2 : 1
      this.counts.copiedAnnouncements += copies - 1
      for (let copy = 0; copy < copies; copy++) {
        this.counts.announcements++
        node.process.after(node.random.between(1, announcementDelayMs), () => {
          if (this.#nodes.get(node.peer) !== node) return
          this.world.digest.add(`announcement ${node.device}`, this.world.now, payload)
          node.handler.announcement(copyOf(payload))
        })
      }
    }
  }

  #reachable(author: NetworkNode): Set<NetworkNode> {
    const links = this.links()
    const found = new Set([author])
    for (const node of found) {
      for (const { from, to } of links) {
        if (from === node && !this.isCut(from.device, to.device)) found.add(to)
      }
    }
    found.delete(author)
    return found
  }

  #pipe(
    from: NetworkNode,
    to: NetworkNode,
    connection: () => Connection,
    receiver: ConnectionEnd,
  ): Pipe {
    const weather = this.#weathers.get(way(from.device, to.device)) ?? FAIR
    const isCut = (): boolean => this.isCut(from.device, to.device)
    const random = this.#random(from.device, to.device)
    const pipe = new Pipe(this.world, random, weather, isCut, (frame, sentMs) => {
      this.world.digest.add(`frame ${from.device} ${to.device}`, this.world.now, frame)
      this.counts.frames++
      this.counts.bytes += frame.length
      if (random.chance(this.weather.loss)) {
        this.counts.resets++
        this.#end(connection())
      } else if (receiver.open) {
        this.onFrame?.(to.process.name, frame)
        this.recorder?.frame(from.process.name, to.process.name, sentMs, frame.length)
        receiver.arrive(frame)
      }
    })
    return pipe
  }

  /** Ends a connection; `knower` learns it at once, the other side, or both, when they get to notice. */
  #end(connection: Connection, knower?: NetworkNode): void {
    if (connection.over) return
    connection.over = true
    for (const pipe of connection.pipes) pipe.drop()
    for (const end of connection.ends) {
      const { random } = end.owner as NetworkNode
      const late = end.owner === knower ? 0 : random.between(0, this.weather.halfOpenMs)
      end.owner.process.after(late, () => end.drop())
    }
    this.#connections = this.#connections.filter((each) => each !== connection)
  }

  /** A stream for each way: what happens on one moves no other. */
  #random(from: string, to: string): SimRandom {
    const name = way(from, to)
    let random = this.#randoms.get(name)
    if (!random) this.#randoms.set(name, (random = this.world.random.stream(`way ${name}`)))
    return random
  }
}

const FAIR: PipeWeather = { latencyMs: 5, jitterMs: 5, rate: 1000 }

const way = (from: string, to: string): string => `${from}>${to}`

const deviceOf = ({ owner }: ConnectionEnd): string => (owner as NetworkNode).device

function joins(connection: Connection, one: string, other: string): boolean {
  const devices = connection.ends.map(deviceOf)
  return devices.includes(one) && devices.includes(other)
}
