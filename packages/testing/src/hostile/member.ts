import {
  tipAfter,
  type Signer,
  type WrittenSession,
  type DeviceId,
  admit,
  readInvitation,
  TipTrie,
  toHex,
  type Admission,
  type Batch,
  type Crypto,
  type Link,
  type Network,
  type Replica,
  type SessionId,
  type SigningKey,
  type Space,
  type Tip,
} from '@peerplane/core'
import { createSync, type Sync } from '@peerplane/sync'

import type { SimNetwork } from '../network/network.ts'
import { SimNode } from '../network/node.ts'
import { SimClock } from '../world/clock.ts'
import { SimProcess } from '../world/process.ts'
import type { SimRandom } from '../world/random.ts'
import type { SimWorld } from '../world/world.ts'
import { hear, pageFrame, runsFrame, wantFrame, type ForeignSession } from './messages.ts'

/** What a hostile member is made of. */
export interface MemberOptions {
  readonly world: SimWorld
  readonly network: SimNetwork
  readonly name: string
  readonly dial: readonly string[]
  readonly crypto: Crypto
  readonly invitation: string
}

/** A session of the member, in one version or several. */
export interface Offered {
  readonly session: WrittenSession
  readonly versions: readonly (readonly Batch[])[]
  /** Whether each peer gets one version only. */
  readonly isSplit: boolean
}

/** Sessions and openings of others that it remembers. */
const MEMORY = 64

/** Runs in one message. */
const RUNS = 64

/**
 * A device with a valid key whose holder means harm. It goes through the handshakes of the product; whatever else it sends, it writes by hand.
 * It keeps no log: it answers for its own sessions only.
 */
export class HostileMember {
  readonly name: string
  readonly random: SimRandom
  readonly tips = new Map<SessionId, Tip>()
  readonly begun = new Map<SessionId, ForeignSession>()
  /** The member, and a device that has gone, whose key it holds, too. */
  authors: readonly Signer[] = []
  /** Sessions of which two versions exist. */
  forks = 0
  /** Whether it answers requests for pages with pages of its own. */
  isLying = false
  readonly #options: MemberOptions
  readonly #process: SimProcess
  readonly #node: SimNode
  readonly #links = new Map<string, Link>()
  readonly #offered = new Map<SessionId, Offered>()
  #space: Space | undefined
  #sync: Sync | undefined
  #isOver = false

  constructor(options: MemberOptions) {
    const { world, network, name, dial } = options
    this.#options = options
    this.name = name
    this.random = world.random.stream(`member ${name}`)
    this.#process = new SimProcess(`${name}.1`, world, new SimClock(world, 0, 1))
    this.#node = new SimNode(network, this.#process, name, dial)
  }

  get now(): number {
    return this.#process.clock.now()
  }

  get secret(): Uint8Array {
    return this.#space!.secret
  }

  /** Joins and begins to dial. */
  async start(): Promise<void> {
    const { crypto, invitation } = this.#options
    const { process, random } = { process: this.#process, random: this.random }
    const read = await readInvitation(invitation, { crypto })
    const admitted = async (): Promise<Signer> => {
      const key: SigningKey = await crypto.keyFromSeed(random.bytes(32))
      const inviteKey = await crypto.keyFromSeed(read.inviteSeed)
      const admission: Admission = await admit(
        read.grant,
        toHex(key.publicKey) as DeviceId,
        inviteKey,
      )
      return { key, chain: [...read.chain, admission] }
    }
    const author = await admitted()
    this.authors = [author, await admitted()]
    this.#space = read.space
    this.#sync = createSync({
      ...author,
      space: read.space,
      network: this.#ears(),
      replica: nothing,
      crypto,
      random,
      clock: process.clock,
      scheduler: process.scheduler,
      isKnown: () => true,
      remember: () => {},
    })
    await this.#sync.start()
  }

  /** Leaves for good. */
  stop(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#process.kill()
    this.#options.network.leave(this.#node)
  }

  /** Whether anybody hears it. */
  get isLinked(): boolean {
    return !this.#isOver && this.#links.size > 0
  }

  /** Some links, at least one. */
  links(random: SimRandom): Link[] {
    const links = random.shuffle([...this.#links.values()])
    return links.slice(0, 1 + random.below(links.length))
  }

  send(links: readonly Link[], frame: Uint8Array): void {
    for (const link of links) void link.send(frame)
  }

  announce(payload: Uint8Array): void {
    this.#node.announce(payload)
  }

  later(delayMs: number, task: () => void): void {
    this.#process.after(delayMs, task)
  }

  /** From now on, answers requests for a session. */
  offer(offered: Offered): void {
    this.#offered.set(offered.session.record.session, offered)
    if (offered.versions.length > 1) this.forks++
  }

  /** Sends sessions, each in the version that a peer gets. */
  push(links: readonly Link[], sessions: readonly Offered[]): void {
    for (const link of links) {
      const runs = sessions.map((offered) => offered.session.run(this.#versionFor(link, offered)))
      for (let from = 0; from < runs.length; from += RUNS) {
        void link.send(runsFrame(runs.slice(from, from + RUNS)))
      }
    }
  }

  /** The tip of a session in the version that a peer gets. */
  tipFor(link: Link, offered: Offered): Tip {
    return tipAfter(this.#versionFor(link, offered).at(-1)!)
  }

  #versionFor({ identity }: Link, { versions, isSplit }: Offered): readonly Batch[] {
    const place = isSplit ? parseInt(identity.device.slice(0, 6), 16) : this.random.bits()
    return versions[place % versions.length]!
  }

  #ears(): Network {
    const node = this.#node
    return {
      localPeer: node.localPeer,
      start: (handler) =>
        node.start({
          authenticate: (channel) => handler.authenticate(channel),
          connected: (link) => {
            this.#links.set(link.id, link)
          },
          frame: async (link, frame) => this.#hear(link, frame),
          disconnected: (link) => {
            this.#links.delete(link.id)
          },
          announcement: () => true,
        }),
      stop: () => node.stop(),
      announce: (payload) => node.announce(payload),
      introduce: () => undefined,
      addresses: () => node.addresses(),
      status: () => node.status(),
    }
  }

  #hear(link: Link, frame: Uint8Array): void {
    const heard = hear(frame)
    if (!heard) return
    switch (heard.kind) {
      case 'tips':
        for (const tip of heard.tips) remember(this.tips, tip.session, tip)
        return
      case 'begun':
        for (const begun of heard.begun) {
          if (!this.#isOwn(begun)) remember(this.begun, begun.session, begun)
        }
        return
      case 'list':
        if (this.isLying) void link.send(pageFrame(heard.path, this.lies(4), heard.after + 4))
        return
      case 'want':
        for (const [session, from] of heard.ranges) this.#serve(link, session, from)
    }
  }

  #isOwn({ device }: ForeignSession): boolean {
    return this.authors.some(({ key }) => (toHex(key.publicKey) as DeviceId) === device)
  }

  #serve(link: Link, session: SessionId, from: number): void {
    const offered = this.#offered.get(session)
    if (!offered) return
    const version = this.#versionFor(link, offered)
    const batches = version.filter(({ commits }) => commits[0]!.header.seq >= from)
    if (batches.length > 0) void link.send(runsFrame([offered.session.run(batches)]))
  }

  /** Tips of sessions that do not exist. */
  lies(count: number): Tip[] {
    return Array.from({ length: count }, () => ({
      session: toHex(this.random.bytes(16)) as SessionId,
      seq: 1 + this.random.below(1000),
      mark: toHex(this.random.bytes(16)),
    }))
  }

  /** Asks honest devices for openings, so that it can show them as its own. */
  inquire(links: readonly Link[]): void {
    const ranges = [...this.tips.keys()].slice(-8).map((session) => [session, 1, 1] as const)
    if (ranges.length > 0) this.send(links, wantFrame(ranges))
  }
}

function remember<Key, Item>(memory: Map<Key, Item>, key: Key, item: Item): void {
  memory.delete(key)
  memory.set(key, item)
  const [oldest] = memory.keys()
  if (memory.size > MEMORY && oldest !== undefined) memory.delete(oldest)
}

const nothing: Replica = {
  delivered: () => new Map(),
  stored: () => new Map(),
  tips: new TipTrie(),
  range: () => Promise.resolve(undefined),
  admitAll: (runs) =>
    Promise.allSettled(runs.map(async () => ({ stored: 0, released: 0, awaits: [], full: false }))),
  watch: () => () => {},
}
