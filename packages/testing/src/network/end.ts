import {
  type Channel,
  type Identity,
  type Link,
  type NetworkHandler,
  type Path,
  limits,
} from '@peerplane/core'

import { copyOf } from '../world/copies.ts'
import type { SimProcess } from '../world/process.ts'
import type { SimRandom } from '../world/random.ts'
import type { Pipe } from './pipe.ts'

/** What an end belongs to. */
export interface EndOwner {
  readonly peer: string
  readonly process: SimProcess
  readonly handler: NetworkHandler
  /** The handshake begins. */
  began(end: ConnectionEnd): void
  /** The end is ready for use; `false` when a better one is in use already. */
  linked(end: ConnectionEnd): boolean
  /** The end is closed. */
  ended(end: ConnectionEnd): void
}

/** A process in the network, as the network sees it. */
export interface NetworkNode extends EndOwner {
  readonly device: string
  /** What happens to it by chance. */
  readonly random: SimRandom
  /** Peers it holds a link to, dead or alive. */
  linkedPeers(): ReadonlySet<string>
  /** Opens one more connection to a linked device: a better path. */
  upgrade(to: NetworkNode, path: Path): boolean
}

/** One side's view of one connection: first a channel for the handshake, then a link. Each side learns of its end in its own time. */
export class ConnectionEnd {
  /** Later connections between two peers supersede earlier ones. */
  readonly order: number
  readonly owner: EndOwner
  readonly remotePeer: string
  readonly path: Path
  readonly #initiator: boolean
  readonly #inbox: Uint8Array[] = []
  readonly #closeBoth: () => void
  #out: Pipe | undefined
  #in: Pipe | undefined
  #receivers: { resolve: (frame: Uint8Array) => void; reject: (error: unknown) => void }[] = []
  #link: Link | undefined
  #reading = false
  #open = true

  constructor(
    owner: EndOwner,
    remotePeer: string,
    options: { order: number; path: Path; initiator: boolean; closeBoth: () => void },
  ) {
    this.owner = owner
    this.remotePeer = remotePeer
    this.order = options.order
    this.path = options.path
    this.#initiator = options.initiator
    this.#closeBoth = options.closeBoth
  }

  get open(): boolean {
    return this.#open
  }

  /** The link, once the handshake is over. */
  get link(): Link | undefined {
    return this.#link
  }

  /** Joins the two directions to the end and begins the handshake. */
  begin(out: Pipe, incoming: Pipe): void {
    this.#out = out
    this.#in = incoming
    this.owner.began(this)
    this.owner.process.after(limits.handshakeMs, () => {
      if (!this.#link) this.#closeBoth()
    })
    this.owner.process.after(0, () => {
      // Ignored: the peer that refused reports it.
      this.owner.handler.authenticate(this.#channel()).then(
        (identity) => this.#admitted(identity),
        () => this.#closeBoth(),
      )
    })
  }

  /** A frame has come through the network. */
  arrive(frame: Uint8Array): void {
    if (!this.#open) return
    this.#inbox.push(frame)
    this.owner.process.soon(() => this.#pump())
  }

  /** This side learns that the connection is gone. */
  drop(): void {
    if (!this.#open) return
    this.#open = false
    this.#out?.drop()
    this.#inbox.length = 0
    for (const { reject } of this.#receivers.splice(0))
      reject(new Error('the connection was closed'))
    this.#closeBoth()
    this.owner.ended(this)
    const link = this.#link
    if (link && this.owner.process.alive) this.owner.handler.disconnected(link)
  }

  #channel(): Channel {
    return {
      localPeer: this.owner.peer,
      remotePeer: this.remotePeer,
      initiator: this.#initiator,
      recognized: () => {},
      send: (frame) => {
        if (!this.#open) return Promise.reject(new Error('the connection was closed'))
        return this.#out!.send(copyOf(frame))
      },
      receive: () =>
        this.owner.process.promise((resolve, reject) => {
          if (!this.#open) reject(new Error('the connection was closed'))
          else {
            this.#receivers.push({ resolve, reject })
            this.#pump()
          }
        }),
    }
  }

  #admitted(identity: Identity): void {
    if (!this.#open) return
    const link: Link = {
      id: `${this.owner.process.name}-${this.order}`,
      peer: this.remotePeer,
      identity,
      path: this.path,
      send: (frame) => {
        if (!this.#open) return Promise.resolve()
        if (frame.length <= limits.frameBytes) return this.#out!.send(copyOf(frame))
        this.owner.process.after(0, this.#closeBoth)
        return Promise.resolve()
      },
      close: (_reason, last) => {
        if (last && this.#open) void this.#out!.send(copyOf(last))
        // Not in the middle of the caller: it may be iterating over its links.
        this.owner.process.after(0, this.#closeBoth)
      },
    }
    this.#link = link
    if (!this.owner.linked(this)) {
      this.#link = undefined
      this.#closeBoth()
      return
    }
    this.owner.handler.connected(link)
    this.#pump()
  }

  #pump(): void {
    const frame = this.#inbox[0]
    if (!this.#open || frame === undefined || this.#reading) return
    if (this.#link) {
      this.#inbox.shift()
      this.#reading = true
      void this.owner.handler.frame(this.#link, frame).then(() => {
        this.#reading = false
        this.#in!.read(frame.length)
        this.#pump()
      })
      return
    }
    const receiver = this.#receivers.shift()
    if (!receiver) return
    this.#inbox.shift()
    this.#in!.read(frame.length)
    receiver.resolve(frame)
  }
}
