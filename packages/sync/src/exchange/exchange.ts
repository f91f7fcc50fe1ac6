import {
  asPeerplaneError,
  codeOf,
  firstSeq,
  isChainUnderstood,
  lastSeq,
  PeerplaneError,
  roleOf,
  toHex,
  type Batch,
  type Channel,
  type DeviceId,
  type Identity,
  type Link,
  type NetworkHandler,
} from '@peerplane/core'

import { decodeAnnouncement, encodeAnnouncement, readAnnouncement } from '../wire/announcement.ts'
import { compare } from '../engine/knowledge.ts'
import { createState, type EngineState } from '../engine/state.ts'
import type { Effect } from '../engine/types.ts'
import { authenticate, type Self } from '../handshake/handshake.ts'
import { Served } from '../handshake/served.ts'
import { createIntroductions, type Introductions } from './introductions.ts'
import { decodeMessage, encodeMessage, type Message } from '../wire/messages.ts'
import { monotonic } from '../time/monotonic.ts'
import { createOpenLink, type OpenLink } from './open-link.ts'
import { ownFrame } from './own-frame.ts'
import { Taking } from './taking.ts'
import type { LinkStatus, SyncOptions } from '../types.ts'
import { createTimer, type Timer } from '../time/timer.ts'
import { createInputQueue } from './input-queue.ts'

/** What can fail, and work again later. */
export type Part = 'handshake' | 'link' | 'log'

/** What an exchange reports. */
export interface ExchangeEvents {
  readonly changed: () => void
  readonly failed: (part: Part, error: PeerplaneError) => void
  /** An earlier failure of this part is over. */
  readonly worked: (part: Part) => void
}

const INTRODUCE_AFTER_MS = 200
const INTRODUCE_EVERY_MS = 10_000

/** Sync from one start of the network to its stop: joins the engine to the network, the log and the timers. */
export class Exchange implements NetworkHandler {
  readonly #options: SyncOptions
  readonly #events: ExchangeEvents
  readonly #now: () => number
  readonly #state: EngineState
  readonly #enqueue: ReturnType<typeof createInputQueue>
  readonly #taking: Taking
  readonly #served: Served<Self>
  readonly #links = new Map<string, OpenLink>()
  readonly #introductions: Introductions
  readonly #wake: Timer
  readonly #look: Timer
  readonly #introduction: Timer
  readonly #unwatch: () => void
  #stopped = false

  constructor(options: SyncOptions, events: ExchangeEvents) {
    const { network, replica, scheduler, clock } = options
    this.#options = options
    this.#events = events
    this.#now = monotonic(clock)
    this.#state = createState(replica, this.#jitter(), options.perturb, options.trace)
    this.#enqueue = createInputQueue(this.#state, this.#now, (effect, own) =>
      this.#perform(effect, own),
    )
    this.#taking = new Taking(options, this.#now, {
      failed: (error) => events.failed('log', error),
      worked: () => events.worked('log'),
    })
    this.#served = new Served(network.localPeer, options)
    const device = toHex(options.key.publicKey) as DeviceId
    const isAnchor = roleOf(options.space.record, options.chain) === 'anchor'
    this.#introductions = createIntroductions(
      () => ({ peer: network.localPeer, addresses: network.addresses(), device }),
      isAnchor,
    )
    this.#wake = createTimer(scheduler)
    this.#look = createTimer(scheduler)
    this.#introduction = createTimer(scheduler)
    this.#unwatch = replica.watch((own) => this.#logChanged(own))
    this.#introduceLater(INTRODUCE_EVERY_MS)
  }

  peers(): LinkStatus[] {
    return [...this.#links.values()].flatMap(({ link }): LinkStatus[] => {
      const known = this.#state.links.get(link.id)
      if (!known) return []
      const { device, anchor } = link.identity
      const compared = compare({ state: this.#state }, known)
      return [{ device, anchor, peer: link.peer, path: link.path, ...compared }]
    })
  }

  /** Takes leave of all peers. Nothing happens afterwards. */
  stop(): void {
    this.#stopped = true
    this.#unwatch()
    for (const each of [this.#wake, this.#look, this.#introduction]) each.cancel()
    for (const open of this.#links.values()) {
      open.serving.stop()
      void open.send({ kind: 'bye', reason: 'closed' })
    }
    this.#links.clear()
  }

  async authenticate(channel: Channel): Promise<Identity> {
    const { remember, trace } = this.#options
    try {
      const proven = await authenticate(channel, this.#options, this.#served)
      remember([proven.device, ...proven.chain.map((admission) => admission.device)])
      if (!proven.anchor && proven.chain.at(-1)?.grant.role === 'anchor') {
        trace?.('role.ignored', { device: proven.device })
      }
      if (!isChainUnderstood(proven.chain)) {
        trace?.('admission.ignored', { device: proven.device })
      }
      return proven
    } catch (error) {
      const failure = asPeerplaneError(error, 'handshake-failed')
      const { code, message: reason } = failure
      const peer = channel.remotePeer
      if (code === 'handshake-failed') trace?.('handshake.failed', { peer, code, reason })
      else if (code === 'needs-update') trace?.('peer.incompatible', { peer, reason })
      else trace?.('invitation.refused', { peer, code })
      if (!this.#stopped) this.#events.failed('handshake', failure)
      throw error
    }
  }

  connected(link: Link): void {
    this.#traceOpened(link)
    if (this.#stopped) return
    const { id } = link
    this.#links.set(id, this.#openLink(link))
    this.#events.worked('handshake')
    this.#events.worked('link')
    this.#introductions.connected(link)
    this.#introduceLater(INTRODUCE_AFTER_MS)
    const { device } = link.identity
    this.#report(this.#handle({ kind: 'linkUp', link: id, device, jitter: this.#jitter() }))
  }

  async frame(link: Link, frame: Uint8Array): Promise<void> {
    if (!this.#stopped && this.#links.has(link.id)) await this.#receive(link, frame)
  }

  disconnected(link: Link): void {
    const { device } = link.identity
    const { id, peer, path } = link
    this.#options.trace?.('link.closed', { link: id, device, peer, path })
    if (this.#stopped) return
    this.#links.get(id)?.serving.stop()
    this.#links.delete(id)
    this.#introductions.disconnected(link)
    this.#introduceLater(INTRODUCE_AFTER_MS)
    this.#report(this.#handle({ kind: 'linkDown', link: id }))
  }

  announcement(payload: Uint8Array): boolean {
    if (this.#stopped) return true
    const { space, trace } = this.#options
    const content = readAnnouncement(payload, space.secret)
    if (!content) return false
    try {
      void this.#handle({ kind: 'announced', content: decodeAnnouncement(content) })
    } catch (error) {
      // Nothing depends on it.
      trace?.('announcement.unreadable', { code: codeOf(error) })
    }
    return true
  }

  #handle(...[event, own]: Parameters<ReturnType<typeof createInputQueue>>): Promise<void> {
    return this.#stopped ? Promise.resolve() : this.#enqueue(event, own)
  }

  #report(done: Promise<void>): void {
    void done.then(this.#events.changed)
  }

  #logChanged(own: Batch | undefined): void {
    if (own) {
      const { session } = own
      const range = { session, from: firstSeq(own), to: lastSeq(own) }
      void this.#handle({ kind: 'changed', own: range, others: this.#taking.takeFresh() }, own)
      this.#events.changed()
    } else if (!this.#look.running()) {
      this.#look.set(0, () => {
        const others = this.#taking.takeFresh()
        this.#report(this.#handle({ kind: 'changed', own: undefined, others }))
      })
    }
  }

  #perform(effect: Effect, own: Batch | undefined): Promise<void> | undefined {
    const { network, space } = this.#options
    if (effect.kind === 'wakeAt') {
      this.#wake.set(effect.at - this.#now(), () => this.#report(this.#handle({ kind: 'tick' })))
      return undefined
    }
    if (effect.kind === 'announce') {
      network.announce(encodeAnnouncement(effect.content, space.secret))
      return undefined
    }
    if (effect.kind === 'admit') return this.#admit(effect)
    const open = this.#links.get(effect.link)
    if (open) this.#performOn(open, effect, own)
    return undefined
  }

  #performOn(
    open: OpenLink,
    effect: Extract<Effect, { readonly kind: 'send' | 'push' | 'sendRange' | 'disconnect' }>,
    own: Batch | undefined,
  ): void {
    switch (effect.kind) {
      case 'send':
        void open.send(effect.message)
        return
      case 'push':
        if (own) void open.sendFrame(ownFrame(own))
        return
      case 'sendRange':
        open.serving.add(effect)
        return
      case 'disconnect':
        this.#options.trace?.('device.banned', {
          device: open.link.identity.device,
          why: effect.reason,
        })
        this.#events.failed(
          'link',
          new PeerplaneError(effect.reason, `a link to ${open.link.peer} was closed`),
        )
        open.link.close(effect.reason, encodeMessage({ kind: 'bye', reason: effect.reason }))
    }
  }

  async #admit({ link, runs }: Extract<Effect, { readonly kind: 'admit' }>): Promise<void> {
    const sender = this.#links.get(link)?.link.identity.device
    const outcomes = await this.#taking.take(link, sender, runs)
    this.#report(this.#handle({ kind: 'admitted', link, outcomes }))
  }

  /** Frames of the peer wait until the log has taken what they bring. */
  async #receive(link: Link, frame: Uint8Array): Promise<void> {
    let message: Message | undefined
    try {
      message = decodeMessage(frame)
    } catch (error) {
      const { code } = asPeerplaneError(error, 'malformed')
      return this.#handle({ kind: 'violation', link: link.id, code })
    }
    if (!message) this.#options.trace?.('message.ignored', { link: link.id })
    else if (message.kind === 'bye') link.close(message.reason)
    else if (message.kind === 'peers') {
      const hints = this.#introductions.told(link, message.peers)
      if (hints.length > 0) this.#options.network.introduce(link.peer, hints)
      this.#introduceLater(INTRODUCE_AFTER_MS)
    } else await this.#handle({ kind: 'message', link: link.id, message })
    this.#events.changed()
  }

  #introduceLater(delayMs: number): void {
    this.#introduction.set(delayMs, () => {
      for (const open of this.#links.values()) {
        const peers = this.#introductions.news(open.link)
        if (peers) void open.send({ kind: 'peers', peers })
      }
      this.#introduceLater(INTRODUCE_EVERY_MS)
    })
  }

  #openLink(link: Link): OpenLink {
    const { id } = link
    const { replica, perturb, trace } = this.#options
    return createOpenLink(link, replica, {
      perturb,
      congestion: (congested) => void this.#handle({ kind: 'congestion', link: id, congested }),
      done: (range) => {
        const { session, to, complete } = range
        trace?.('range.served', { link: id, session, to, complete })
        void this.#handle({ kind: 'served', link: id, ...range })
      },
      failed: (error) => this.#events.failed('log', asPeerplaneError(error, 'store-failed')),
    })
  }

  #traceOpened({ id: link, identity, peer, path }: Link): void {
    const { trace } = this.#options
    if (!trace) return
    const { device, anchor } = identity
    trace?.('link.opened', { link, device, peer, path, anchor })
    const before = [...this.#links.values()].findLast((open) => open.link.peer === peer)
    if (before) trace?.('path.changed', { device, peer, from: before.link.path, to: path })
  }

  #jitter(): number {
    return this.#options.random.bytes(1)[0]! / 255
  }
}
