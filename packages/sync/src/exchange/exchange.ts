import {
  asPeerplaneError,
  codeOf,
  decodeAdmission,
  decodeOpening,
  encodeBatch,
  firstSeq,
  lastSeq,
  limits,
  PeerplaneError,
  toHex,
  type Batch,
  type DeviceId,
  type ErrorCode,
  type Link,
  type NetworkHandler,
  type OpeningEvidence,
  type Run,
  type SessionId,
} from '@peerplane/core'

import { decodeTips, encodeAnnouncement, readAnnouncement } from '../wire/announcement.ts'
import { compare } from '../engine/knowledge.ts'
import { createState } from '../engine/state.ts'
import type { Effect } from '../engine/types.ts'
import { authenticate } from '../handshake/handshake.ts'
import { createIntroductions } from './introductions.ts'
import { decodeMessage, encodeMessage, type Message } from '../wire/messages.ts'
import { monotonic } from '../time/monotonic.ts'
import { createOpenLink, type OpenLink } from './open-link.ts'
import { Rates } from '../bounds/rate.ts'
import type { PeerStatus, SyncOptions } from '../types.ts'
import { createTimer } from '../time/timer.ts'
import { createTurns } from './turns.ts'

/** Sync from one start of the network to its stop. */
export interface Exchange {
  readonly handler: NetworkHandler
  peers(): PeerStatus[]
  /** Takes leave of all peers. Nothing happens afterwards. */
  stop(): void
}

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
/** What is repaired by asking again, or is nobody's fault. */
const QUIET: readonly ErrorCode[] = ['broken-chain', 'overloaded', 'closed']

const SESSION_RATE = {
  perSecond: limits.sessionsPerMinute / 60,
  burst: limits.sessionsAtOnce,
}

/** Joins the engine to the network, the log and the timers. */
export function createExchange(options: SyncOptions, events: ExchangeEvents): Exchange {
  const { network, replica, space, scheduler, clock, trace } = options
  const device = toHex(options.key.publicKey) as DeviceId
  const now = monotonic(clock)
  const jitter = (): number => options.random.bytes(1)[0]! / 255
  const state = createState(replica, jitter(), options.perturb, trace)
  const links = new Map<string, OpenLink>()
  /** Sessions of others that may have been delivered further and have not been told. */
  const fresh = new Set<SessionId>()
  let isAllFresh = false
  const introductions = createIntroductions(() => ({
    peer: network.localPeer,
    addresses: network.addresses(),
    device,
    anchor: options.anchor,
  }))
  const begun = new Rates({ ...(options.sessionRate ?? SESSION_RATE), now }, limits.shutOutMemory)
  const wake = createTimer(scheduler)
  const look = createTimer(scheduler)
  const introduction = createTimer(scheduler)
  let stopped = false

  const takeTurn = createTurns(state, now, perform)
  const turn: typeof takeTurn = (event, own) => (stopped ? Promise.resolve() : takeTurn(event, own))
  const unwatch = replica.watch((own) => {
    if (own) {
      const { session } = own
      const range = { session, from: firstSeq(own), to: lastSeq(own) }
      void turn({ kind: 'changed', own: range, others: takeFresh() }, own)
      events.changed()
    } else if (!look.running()) {
      look.set(0, () => report(turn({ kind: 'changed', own: undefined, others: takeFresh() })))
    }
  })
  introduceLater(INTRODUCE_EVERY_MS)

  function perform(effect: Effect, own: Batch | undefined): Promise<void> | undefined {
    if (effect.kind === 'wakeAt') {
      wake.set(effect.at - now(), () => report(turn({ kind: 'tick' })))
      return undefined
    }
    if (effect.kind === 'announce') {
      network.announce(encodeAnnouncement(effect.tips, space.secret))
      return undefined
    }
    if (effect.kind === 'admit') return admit(effect.link, effect.run)
    const open = links.get(effect.link)
    if (open) performOn(open, effect, own)
    return undefined
  }

  function performOn(
    open: OpenLink,
    effect: Extract<Effect, { readonly kind: 'send' | 'push' | 'sendRange' | 'disconnect' }>,
    own: Batch | undefined,
  ): void {
    switch (effect.kind) {
      case 'send':
        void open.send(effect.message)
        return
      case 'push':
        if (own) void open.sendFrame(pushFrame(own))
        return
      case 'sendRange':
        open.serving.add(effect)
        return
      case 'disconnect':
        trace?.('device.banned', { device: open.link.identity.device, why: effect.reason })
        events.failed(
          'link',
          new PeerplaneError(effect.reason, `a link to ${open.link.peer} was closed`),
        )
        void open.send({ kind: 'bye', reason: effect.reason })
        open.link.close(effect.reason)
    }
  }

  function takeFresh(): readonly SessionId[] | 'all' {
    const taken = isAllFresh ? 'all' : [...fresh]
    isAllFresh = false
    fresh.clear()
    return taken
  }

  async function admit(link: string, run: Run): Promise<void> {
    // From the moment on in which it is delivered, an own batch may depend on it.
    fresh.add(run.session)
    // What comes with a session that is held is not looked at.
    const opening = replica.stored().has(run.session) ? undefined : run.opening
    if (opening && !mayBegin(link, opening)) {
      report(turn({ kind: 'admitted', link, run, result: 'overloaded' }))
      return
    }
    const result = await replica.admit(run).catch((cause: unknown) => {
      const error = asPeerplaneError(cause, 'store-failed')
      trace?.('range.refused', { link, session: run.session, code: error.code })
      if (!QUIET.includes(error.code)) events.failed('log', error)
      return error.code
    })
    if (typeof result !== 'string') {
      events.worked('log')
      trace?.('range.taken', { link, session: run.session, ...result })
      fresh.add(run.session)
      // Which sessions have waited for it, only the log knows.
      if (result.released > 0) isAllFresh = true
      if (opening) options.remember(devicesOf(opening))
    }
    report(turn({ kind: 'admitted', link, run, result }))
  }

  /** Each session stays in every frontier for ever: a device begins them slowly, and others bring those that it began at their own pace. */
  function mayBegin(link: string, opening: OpeningEvidence): boolean {
    const author = links.get(link)?.link.identity.device
    return author === undefined || authorOf(opening) !== author || begun.take(author)
  }

  /** Frames of the peer wait until the log has taken what they bring. */
  async function receive(link: Link, frame: Uint8Array): Promise<void> {
    let message: Message | undefined
    try {
      message = decodeMessage(frame)
    } catch (error) {
      const { code } = asPeerplaneError(error, 'malformed')
      return turn({ kind: 'violation', link: link.id, code })
    }
    if (message?.kind === 'bye') link.close(message.reason)
    else if (message?.kind === 'peers') {
      const hints = introductions.told(link, message.peers)
      if (hints.length > 0) network.introduce(link.peer, hints)
      introduceLater(INTRODUCE_AFTER_MS)
    } else if (message) await turn({ kind: 'message', link: link.id, message })
    events.changed()
  }

  function introduceLater(delayMs: number): void {
    introduction.set(delayMs, () => {
      for (const open of links.values()) {
        const peers = introductions.news(open.link)
        if (peers) void open.send({ kind: 'peers', peers })
      }
      introduceLater(INTRODUCE_EVERY_MS)
    })
  }

  function opened({ id: link, identity, peer, path }: Link): void {
    if (!trace) return
    const { device, anchor } = identity
    trace?.('link.opened', { link, device, peer, path, anchor })
    const before = [...links.values()].findLast((open) => open.link.peer === peer)
    if (before) trace?.('path.changed', { device, peer, from: before.link.path, to: path })
  }

  function report(done: Promise<void>): void {
    void done.then(events.changed)
  }

  const handler: NetworkHandler = {
    async authenticate(channel) {
      try {
        const proven = await authenticate(channel, options)
        options.remember([proven.device, ...proven.chain.map((admission) => admission.device)])
        return proven
      } catch (error) {
        const failure = asPeerplaneError(error, 'handshake-failed')
        const { code, message: reason } = failure
        const peer = channel.remotePeer
        if (code === 'handshake-failed') trace?.('handshake.failed', { peer, code, reason })
        else trace?.('invitation.refused', { peer, code })
        if (!stopped) events.failed('handshake', failure)
        throw error
      }
    },
    connected(link) {
      opened(link)
      if (stopped) return
      const { id } = link
      const open = createOpenLink(link, replica, {
        perturb: options.perturb,
        congestion: (congested) => void turn({ kind: 'congestion', link: id, congested }),
        done: (range) => {
          const { session, to, complete } = range
          trace?.('range.served', { link: id, session, to, complete })
          void turn({ kind: 'served', link: id, ...range })
        },
        failed: (error) => events.failed('log', asPeerplaneError(error, 'store-failed')),
      })
      links.set(id, open)
      events.worked('handshake')
      events.worked('link')
      introductions.connected(link)
      introduceLater(INTRODUCE_AFTER_MS)
      report(turn({ kind: 'linkUp', link: id, device: link.identity.device, jitter: jitter() }))
    },
    async frame(link, frame) {
      if (!stopped && links.has(link.id)) await receive(link, frame)
    },
    disconnected(link) {
      const { device } = link.identity
      trace?.('link.closed', { link: link.id, device, peer: link.peer, path: link.path })
      if (stopped) return
      links.get(link.id)?.serving.stop()
      links.delete(link.id)
      introductions.disconnected(link)
      introduceLater(INTRODUCE_AFTER_MS)
      report(turn({ kind: 'linkDown', link: link.id }))
    },
    announcement(payload) {
      if (stopped) return true
      const content = readAnnouncement(payload, space.secret)
      if (!content) return false
      try {
        void turn({ kind: 'announced', tips: decodeTips(content) })
      } catch (error) {
        // Nothing depends on it.
        trace?.('announcement.unreadable', { code: codeOf(error) })
      }
      return true
    },
  }

  return {
    handler,
    peers: () =>
      [...links.values()].flatMap(({ link }): PeerStatus[] => {
        const known = state.links.get(link.id)
        if (!known) return []
        return [
          {
            device: link.identity.device,
            anchor: link.identity.anchor,
            peer: link.peer,
            path: link.path,
            ...compare({ state }, known),
          },
        ]
      }),
    stop() {
      stopped = true
      unwatch()
      for (const each of [wake, look, introduction]) each.cancel()
      for (const open of links.values()) {
        open.serving.stop()
        void open.send({ kind: 'bye', reason: 'closed' })
      }
      links.clear()
    },
  }
}

/** The author of a session and all who vouch for it. */
const devicesOf = ({ bytes, signature, chain }: OpeningEvidence): DeviceId[] => [
  decodeOpening(bytes, signature).opening.device,
  ...chain.map((admission) => decodeAdmission(admission).device),
]

/** `undefined` for an opening that the log will refuse. */
function authorOf({ bytes, signature }: OpeningEvidence): DeviceId | undefined {
  try {
    return decodeOpening(bytes, signature).opening.device
  } catch {
    // Ignored: the log refuses it in a moment, with a reason.
    return undefined
  }
}

/** The own batch that is being pushed, encoded once for all links. */
const frames = new WeakMap<Batch, Uint8Array>()

function pushFrame(own: Batch): Uint8Array {
  const known = frames.get(own)
  if (known) return known
  const { session } = own
  const run: Run = { session, from: firstSeq(own), opening: undefined, batches: [encodeBatch(own)] }
  const frame = encodeMessage({ kind: 'run', run })
  frames.set(own, frame)
  return frame
}
