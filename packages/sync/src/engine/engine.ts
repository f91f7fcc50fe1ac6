import type { Tip } from '@peerplane/core'

import type { Announcement } from '../wire/announcement.ts'
import type { Message, CommitRange } from '../wire/messages.ts'
import { admitted, take } from './intake.ts'
import {
  compareSummaries,
  continueList,
  lookForDifference,
  servePage,
  serveTips,
  takePage,
} from './comparing.ts'
import { learn } from './knowledge.ts'
import { ban, linkDown } from './leaving.ts'
import {
  createLink,
  knownSeq,
  spread,
  storedSeq,
  wake,
  type EngineState,
  type LinkState,
  type Transition,
} from './state.ts'
import { tellSummary } from './summaries.ts'
import { announce, announceBy, served, tell, tellDue } from './telling.ts'
import { timing, type Effect, type Input } from './types.ts'
import { expire, nextExpiry, question, want } from './wanting.ts'

/**
 * Anti-entropy between logs, without input, output, time or randomness of its own: the same inputs on the same log give the same effects.
 *
 * Peers tell each other what has changed at once, and compare summaries of everything when a link opens and every ten seconds.
 * A device that lacks something asks one peer that has it. Authors push their own batches, so that in the common case nobody has to ask.
 * `state` is changed in place.
 */
export function step(state: EngineState, input: Input): Effect[] {
  const current: Transition = { state, now: input.now, effects: [] }
  apply(current, input)
  for (const link of state.links.values()) continueList(current, link)
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
      return announced(step, input.content)
    case 'tick':
      return tick(step)
    case 'admitted':
      for (const outcome of input.outcomes) admitted(step, input.link, outcome)
      return
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
  const link = createLink(input.link, input.device, spread(timing.summary, input.jitter))
  state.links.set(link.id, link)
  tellSummary(step, link)
  announceBy(step, now + state.announcePeriod)
}

function receive(step: Transition, link: LinkState, message: Message): void {
  switch (message.kind) {
    case 'summary':
      return compareSummaries(step, link, message)
    case 'have':
      learn(step, link, message.tips)
      return serveTips(step, link, message.asks)
    case 'list':
      return servePage(step, link, message.path, message.after)
    case 'page':
      return takePage(step, link, message)
    case 'want':
      for (const range of message.ranges) serve(step, link, range)
      return
    case 'runs':
      return take(step, link, message.runs)
    case 'peers':
    case 'bye':
      // About connections, not about the log.
      return
  }
}

function serve({ state, now, effects }: Transition, link: LinkState, range: CommitRange): void {
  const { session, from } = range
  const to = Math.min(range.to, state.log.delivered().get(session)?.seq ?? 0)
  if (from > to) return
  if (session === state.ownSession) link.following = true
  link.servedAt = now
  effects.push({ kind: 'sendRange', link: link.id, session, from, to })
}

function announced(step: Transition, { commits, digest, tips }: Announcement): void {
  const { state, now } = step
  const links = [...state.links.values()]
  const own = state.log.tips
  const isLacking = ({ session, seq }: Tip): boolean => seq > storedSeq(state, session)
  // What a peer has claimed is being asked for already.
  const isNew = ({ session, seq }: Tip): boolean =>
    links.every((link) => knownSeq(link, session) < seq)
  const lacking = tips.filter(isLacking)
  const isBehind = commits > own.commits && state.asks.size === 0
  if (commits === own.commits && digest === own.summary().digest) {
    // Somebody else has just said all that we could say: the suppression of Trickle (RFC 6206).
    if (state.announceAt < Infinity) state.announceAt = now + state.announcePeriod
  } else if (lacking.some(isNew) || (lacking.length === 0 && isBehind)) {
    for (const link of links) question(step, link)
  }
}

function tick(step: Transition): void {
  const { state, now } = step
  state.wakeAt = Infinity
  expire(step)
  for (const link of state.links.values()) {
    tellDue(step, link)
    if (link.summaryAt <= now) tellSummary(step, link)
    lookForDifference(step, link)
    wake(step, link.summaryAt)
  }
  if (state.announceAt <= now) announce(step)
  for (const [device, { until }] of state.banned) {
    if (until + timing.forgive <= now) state.banned.delete(device)
  }
  wake(step, Math.min(state.announceAt, nextExpiry(step)))
}
