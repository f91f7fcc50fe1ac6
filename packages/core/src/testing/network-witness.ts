import { PeerplaneError } from '../errors.ts'
import type { DeviceId } from '../ids.ts'
import type { Channel, Identity, Link, Network, NetworkHandler } from '../ports/network.ts'
import { fromUtf8, utf8 } from '../text.ts'

/** What the network reported to a peer about a link. */
export interface LinkEvent {
  readonly what: 'connected' | 'frame' | 'disconnected'
  readonly link: Link
}

/** A handler that records what the network reports about one other peer. In the handshake the two exchange their names; one may be an anchor. */
export class NetworkWitness implements NetworkHandler {
  readonly events: LinkEvent[] = []
  readonly links: Link[] = []
  readonly frames: Uint8Array[] = []
  readonly announcements: Uint8Array[] = []
  /** Whether the other peer fails the handshake here, and how often it has. */
  refuses = false
  refused = 0
  readonly #own: Network
  readonly #other: Network
  readonly #counts: number[] = []
  #held: Promise<void> = Promise.resolve()

  constructor(own: Network, other: Network) {
    this.#own = own
    this.#other = other
  }

  /** The latest link. */
  get link(): Link {
    return this.links.at(-1)!
  }

  async authenticate(channel: Channel): Promise<Identity> {
    await channel.send(utf8(`device ${this.#own.localPeer}`))
    const device = fromUtf8(await channel.receive())
    if (this.refuses && channel.remotePeer === this.#other.localPeer) {
      this.refused++
      throw new PeerplaneError('handshake-failed', 'refused by the test')
    }
    // Nobody is admitted before the other side has agreed.
    await channel.send(utf8('welcome'))
    await channel.receive()
    return { device: device as DeviceId, anchor: device === 'device anchor' }
  }

  connected(link: Link): void {
    if (link.peer !== this.#other.localPeer) return
    this.links.push(link)
    this.#note('connected', link)
  }

  async frame(link: Link, frame: Uint8Array): Promise<void> {
    if (link.peer !== this.#other.localPeer) return
    this.frames.push(frame.slice())
    this.#note('frame', link)
    await this.#held
  }

  disconnected(link: Link): void {
    if (link.peer !== this.#other.localPeer) return
    const index = this.links.indexOf(link)
    if (index >= 0) this.links.splice(index, 1)
    this.#note('disconnected', link)
  }

  announcement(payload: Uint8Array): boolean {
    this.announcements.push(payload)
    return true
  }

  isGone(id: string): boolean {
    return this.events.some(({ what, link }) => what === 'disconnected' && link.id === id)
  }

  /** The fewest links at any time since the first one came. */
  leastLinks(): number {
    return Math.min(...this.#counts)
  }

  /** Takes no frame to its end until the returned function is called. */
  holdFrames(): () => void {
    let release = (): void => undefined
    this.#held = new Promise((resolve) => {
      release = resolve
    })
    return release
  }

  /** Reports that came out of order: a link connects once, then its frames come, then it disconnects once. */
  disorder(): string[] {
    const phases = new Map<string, 'open' | 'gone'>()
    return this.events.flatMap(({ what, link: { id } }) => {
      const phase = phases.get(id)
      phases.set(id, what === 'disconnected' ? 'gone' : 'open')
      const fits = what === 'connected' ? phase === undefined : phase === 'open'
      return fits ? [] : [`${what} of ${id}, which is ${phase ?? 'unknown'}`]
    })
  }

  #note(what: LinkEvent['what'], link: Link): void {
    this.events.push({ what, link })
    this.#counts.push(this.links.length)
  }
}
