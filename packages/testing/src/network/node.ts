import {
  limits,
  type Network,
  type NetworkHandler,
  type NetworkStatus,
  type Path,
  type PeerHint,
} from '@peerplane/core'

import type { SimProcess } from '../world/process.ts'
import type { SimRandom } from '../world/random.ts'
import type { ConnectionEnd, NetworkNode } from './end.ts'
import type { SimNetwork } from './network.ts'

/** Bounds of the pause between two attempts to reach a device, milliseconds. */
const FIRST_REDIAL_MS = 100
const LAST_REDIAL_MS = 5_000

/** How often it looks whether a linked device has come back under another name without the link having noticed, milliseconds. */
const WATCH_MS = 5_000

/** How long a superseded link still delivers what was in flight, milliseconds at most. */
const DRAIN_MS = 200

/** One process in the simulated network. It dials its configured devices, for ever, and those to which it is introduced. */
export class SimNode implements Network, NetworkNode {
  readonly peer: string
  readonly device: string
  readonly process: SimProcess
  readonly random: SimRandom
  readonly #network: SimNetwork
  readonly #dial: readonly string[]
  readonly #ends = new Set<ConnectionEnd>()
  readonly #introduced = new Set<string>()
  /** Devices by the peers they were met as, and for each what cancels the next attempt to reach it. */
  readonly #met = new Map<string, string>()
  readonly #attempts = new Map<string, () => void>()
  /** Devices that were linked at the last look. */
  readonly #watched = new Set<string>()
  #handler: NetworkHandler | undefined
  /** Counts starts: what belongs to an earlier one stops. */
  #round = 0

  constructor(network: SimNetwork, process: SimProcess, device: string, dial: readonly string[]) {
    this.#network = network
    this.process = process
    this.device = device
    this.peer = `peer-${process.name}`
    this.random = network.world.random.stream(`node ${process.name}`)
    this.#dial = dial
  }

  get localPeer(): string {
    return this.peer
  }

  get handler(): NetworkHandler {
    return this.#handler!
  }

  linkedPeers(): Set<string> {
    const peers = new Set<string>()
    for (const end of this.#ends) if (end.link) peers.add(end.remotePeer)
    return peers
  }

  start(handler: NetworkHandler): Promise<void> {
    this.#handler = handler
    this.#round++
    this.#network.enter(this)
    for (const device of this.#dial) this.#dialLater(device, this.#round, FIRST_REDIAL_MS)
    return Promise.resolve()
  }

  stop(): Promise<void> {
    this.#round++
    this.#network.leave(this)
    return this.process.promise((resolve) => {
      this.process.after(0, () => {
        // Also those it goes on to believe in although they are gone; dropping one may bring forth another.
        const ends = [...this.#ends]
        for (const end of ends) end.drop()
        resolve(undefined)
      })
    })
  }

  announce(payload: Uint8Array): void {
    if (payload.length <= limits.announcementBytes) this.#network.announce(this, payload)
  }

  introduce(_via: string, peers: readonly PeerHint[]): void {
    for (const { peer } of peers) {
      const device = this.#network.nodes.get(peer)?.device
      if (device === undefined || device === this.device || this.#introduced.has(device)) continue
      if (this.#dial.includes(device)) continue
      this.#introduced.add(device)
      this.#dialLater(device, this.#round, FIRST_REDIAL_MS)
    }
  }

  addresses(): readonly string[] {
    return [`/sim/${this.device}`]
  }

  status(): NetworkStatus {
    const connections = [...this.#ends].map(({ remotePeer, path }) => ({ peer: remotePeer, path }))
    return {
      started: this.#network.nodes.get(this.peer) === this,
      connections,
      lastError: undefined,
      refused: {},
    }
  }

  began(end: ConnectionEnd): void {
    this.#ends.add(end)
  }

  linked(end: ConnectionEnd): boolean {
    const rivals = [...this.#ends].filter(
      (each) => each !== end && each.link && each.remotePeer === end.remotePeer,
    )
    if (rivals.some(({ order }) => order > end.order)) return false
    for (const old of rivals) {
      this.process.after(this.random.between(0, DRAIN_MS), () => old.drop())
    }
    return true
  }

  ended(end: ConnectionEnd): void {
    this.#ends.delete(end)
    const device = this.#met.get(end.remotePeer)
    if (device !== undefined && this.#watched.has(device)) {
      this.#dialLater(device, this.#round, FIRST_REDIAL_MS)
    }
  }

  upgrade(to: NetworkNode, path: Path): boolean {
    return this.#network.connect(this, to, path)
  }

  /** Tries to reach a device after a pause, and again with longer ones. */
  #dialLater(device: string, round: number, pauseMs: number): void {
    this.#attempts.get(device)?.()
    this.#watched.delete(device)
    const attempt = (): void => {
      if (round !== this.#round) return
      const node = this.#network.nodeOf(device)
      const linked = node !== undefined && this.linkedPeers().has(node.peer)
      const trying = [...this.#ends].some(({ remotePeer }) => remotePeer === node?.peer)
      if (node && !trying) {
        this.#met.set(node.peer, device)
        this.#network.connect(this, node, 'direct')
      }
      this.#dialLater(device, round, linked ? WATCH_MS : Math.min(2 * pauseMs, LAST_REDIAL_MS))
      if (linked) this.#watched.add(device)
    }
    this.#attempts.set(device, this.process.after(this.random.between(0.5, 1) * pauseMs, attempt))
  }
}
