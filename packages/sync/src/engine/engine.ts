import type { Tip } from '@peerplane/core'

import type { Message, CommitRange } from '../wire/messages.ts'
import { admitted, take } from './intake.ts'
import { learn, learnFrontier } from './knowledge.ts'
import { ban, linkDown } from './leaving.ts'
import {
  createLink,
  knownSeq,
  ownTips,
  spread,
  storedSeq,
  wake,
  type EngineState,
  type LinkState,
  type Transition,
} from './state.ts'
import { announce, announceBy, served, tell, tellDue, tellFrontier } from './telling.ts'
import { timing, type Effect, type Input } from './types.ts'
import { expire, nextExpiry, question, want } from './wanting.ts'

/**
 * Anti-entropy between logs, without input, output, time or randomness of its own: the same inputs on the same log give the same effects.
 *
 * Peers tell each other how far they have delivered every session (all of it when a link opens and every ten seconds, changes at once).
 * A device that lacks something asks one peer that has it. Authors push their own batches, so that in the common case nobody has to ask.
 * `state` is changed in place.
 */
export function step(state: EngineState, input: Input): Effect[] {
  const current: Transition = { state, now: input.now, effects: [] }
  apply(current, input)
  want(current)
  return current.effects
}

function apply(step: Transition, input: Input): void {
  switch (input.kind) {
    case 'linkUp':
      return linkUp(step, input)
    case 'changed':
      return tell(step, input.own, input.others)
    case 'announced':
      return announced(step, input.tips)
    case 'tick':
      return tick(step)
    case 'admitted':
      return admitted(step, input.link, input.run, input.result)
    default: {
      const link = step.state.links.get(input.link)
      if (link) applyToLink(step, link, input)
    }
  }
}

type LinkInput = Extract<
  Input,
  { readonly kind: 'linkDown' | 'violation' | 'message' | 'served' | 'congestion' }
>

function applyToLink(step: Transition, link: LinkState, input: LinkInput): void {
  switch (input.kind) {
    case 'linkDown':
      return linkDown(step, link)
    case 'violation':
      return ban(step, link, input.code)
    case 'message':
      return receive(step, link, input.message)
    case 'served':
      return served(step, link, input)
    case 'congestion':
      link.congested = input.congested
      return tellDue(step, link)
  }
}

function linkUp(step: Transition, input: Extract<Input, { readonly kind: 'linkUp' }>): void {
  const { state, now, effects } = step
  const banned = state.banned.get(input.device)
  if (banned && banned.until > now) {
    effects.push({ kind: 'disconnect', link: input.link, reason: banned.reason })
    return
  }
  const link = createLink(input.link, input.device, spread(timing.frontier, input.jitter))
  state.links.set(link.id, link)
  tellFrontier(step, link)
  announceBy(step, now + state.announcePeriod)
}

function receive(step: Transition, link: LinkState, message: Message): void {
  switch (message.kind) {
    case 'frontier':
      learnFrontier(step, link, message.tips)
      if (message.reply) reply(step, link)
      return
    case 'have':
      return learn(step, link, message.tips)
    case 'want':
      for (const range of message.ranges) serve(step, link, range)
      return
    case 'run':
      return take(step, link, message.run)
    case 'peers':
    case 'bye':
      // About connections, not about the log.
      return
  }
}

function reply(step: Transition, link: LinkState): void {
  if (step.now < link.replyAt) return
  link.replyAt = step.now + timing.reply
  tellFrontier(step, link)
}

function serve({ state, effects }: Transition, link: LinkState, range: CommitRange): void {
  const { session, from } = range
  const to = Math.min(range.to, state.log.delivered().get(session)?.seq ?? 0)
  if (from > to) return
  if (session === state.ownSession) link.following = true
  effects.push({ kind: 'sendRange', link: link.id, session, from, to })
}

function announced(step: Transition, tips: readonly Tip[]): void {
  const { state, now } = step
  const theirs = new Map(tips.map(({ session, seq }) => [session, seq]))
  const links = [...state.links.values()]
  const isLacking = ({ session, seq }: Tip): boolean => seq > storedSeq(state, session)
  // What a peer has sent tips of is being asked for already.
  const isNew = ({ session, seq }: Tip): boolean =>
    links.every((link) => knownSeq(link, session) < seq)
  const lacking = tips.filter(isLacking)
  if (lacking.some(isNew)) for (const link of links) question(step, link)
  else if (lacking.length > 0) return
  else if (ownTips(state).every(({ session, seq }) => (theirs.get(session) ?? 0) >= seq)) {
    // Somebody else has just said all that we could say: the suppression of Trickle (RFC 6206).
    if (state.announceAt < Infinity) state.announceAt = now + state.announcePeriod
  }
}

function tick(step: Transition): void {
  const { state, now } = step
  state.wakeAt = Infinity
  expire(step)
  for (const link of state.links.values()) {
    if (link.frontierAt <= now) tellFrontier(step, link)
    tellDue(step, link)
    wake(step, link.frontierAt)
  }
  if (state.announceAt <= now) announce(step)
  for (const [device, { until }] of state.banned) {
    if (until + timing.forgive <= now) state.banned.delete(device)
  }
  wake(step, Math.min(state.announceAt, nextExpiry(step)))
}
