import { limits, type SessionId } from '@peerplane/core'

import type { CommitRange } from '../wire/messages.ts'
import {
  knownSeq,
  storedSeq,
  countMissed,
  missedBy,
  wake,
  type Ask,
  type EngineState,
  type LinkState,
  type Transition,
} from './state.ts'
import { tellSummary } from './summaries.ts'
import { timing } from './types.ts'

/** Asks for what is open: each session at one peer. */
export function want(step: Transition): void {
  const { state, now } = step
  if (now < state.pausedUntil) {
    wake(step, state.pausedUntil)
    return
  }
  const wants = new Map<LinkState, CommitRange[]>()
  for (const session of state.urgent) {
    state.urgent.delete(session)
    plan(step, session, wants, true)
  }
  do {
    for (const session of state.open) {
      state.open.delete(session)
      plan(step, session, wants)
    }
  } while (openQueued(state))
  for (const [link, ranges] of wants) {
    step.effects.push({ kind: 'send', link: link.id, message: { kind: 'want', ranges } })
  }
}

/** Asks a peer for a session, or plans when to look at it again. What is urgent is asked for beyond what may be asked for at once. */
function plan(
  step: Transition,
  session: SessionId,
  wants: Map<LinkState, CommitRange[]>,
  isUrgent = false,
): void {
  const { state, now } = step
  if (state.asks.has(session)) return
  if (wants.size > 0 && state.perturb('want-one')) return delay(step, session, now + timing.grace)
  const held = storedSeq(state, session)
  const choice = choose(step, session, held, isUrgent)
  if (typeof choice === 'number') delay(step, session, choice)
  else if (choice) {
    const ranges = wants.get(choice) ?? []
    wants.set(choice, ranges)
    ranges.push(ask(step, choice, session, held + 1))
  }
}

function ask(
  { state, now, effects }: Transition,
  link: LinkState,
  session: SessionId,
  from: number,
): CommitRange {
  const to = knownSeq(link, session)
  const isElsewhere = [...state.links.values()].some(
    (other) => other !== link && knownSeq(other, session) >= from,
  )
  link.asks++
  const times = { askedAt: now, progressAt: now }
  state.asks.set(session, { link: link.id, to, ...times, admitting: 0, isElsewhere })
  wake({ state, now, effects }, now + timing.want)
  state.trace?.('range.wanted', { link: link.id, session, from, to })
  return { session, from, to }
}

/** Another peer has what a peer is asked for. */
export function noteElsewhere(step: Transition, ask: Ask): void {
  if (ask.isElsewhere) return
  ask.isElsewhere = true
  wake(step, step.now + timing.doubt)
}

/** Opens sessions that wait for room at a link, as many as there is room for; whether anything is open. */
function openQueued({ links, open }: EngineState): boolean {
  for (const { queued, asks } of links.values()) {
    let room = limits.wantsPerMessage - asks
    for (const session of queued) {
      if (room-- <= 0) break
      queued.delete(session)
      open.add(session)
    }
  }
  return open.size > 0
}

/** Looks at a session again at `at`. */
export function delay(step: Transition, session: SessionId, at: number): void {
  step.state.delayed.set(session, at)
  wake(step, at)
}

/** Opens what has been delayed long enough, and gives up answers that do not come. */
export function expire(step: Transition): void {
  const { state, now } = step
  for (const [session, at] of state.delayed) {
    if (at > now) continue
    state.delayed.delete(session)
    state.open.add(session)
  }
  for (const [session, ask] of state.asks) {
    if (ask.admitting > 0) continue
    const link = state.links.get(ask.link)!
    if (now < deadlineOf(step, link, session, ask)) continue
    countMissed(state, link, 1)
    fail(step, link, session)
  }
}

/** When the next of {@link expire} is due. */
export function nextExpiry(step: Transition): number {
  const { state, now } = step
  let next = Infinity
  for (const at of state.delayed.values()) next = Math.min(next, at)
  for (const [session, ask] of state.asks) {
    // An ask that is being admitted has no deadline; there will be one when the log has answered.
    const deadline = deadlineOf(step, state.links.get(ask.link)!, session, ask)
    next = Math.min(next, ask.admitting > 0 ? now + timing.want : deadline)
  }
  return next
}

/** Ends the ask for a session, if there is one; whether there was one of `link`. */
export function endAsk({ state }: Transition, session: SessionId, link?: LinkState): boolean {
  const ask = state.asks.get(session)
  if (!ask || (link && ask.link !== link.id)) return false
  state.asks.delete(session)
  const asked = state.links.get(ask.link)
  if (asked) asked.asks--
  return true
}

/** Gives a session up at a link for a while; it is asked for elsewhere if somebody else has it. `weight` is how many failures this one counts as. */
export function fail(step: Transition, link: LinkState, session: SessionId, weight = 1): void {
  const { state, now } = step
  const count = (link.failures.get(session)?.count ?? 0) + weight
  const backoff = count < timing.attempts ? timing.retry * 2 ** (count - 1) : timing.giveUp
  link.failures.set(session, { count, until: now + backoff })
  state.trace?.('range.missed', { link: link.id, session, failures: count })
  endAsk(step, session, link)
  if (!state.asks.has(session)) state.open.add(session)
  if (++link.errors >= 3) question(step, link)
}

/** Asks a peer for its summary of everything, not too often. */
export function question(step: Transition, link: LinkState): void {
  link.errors = 0
  tellSummary(step, link, true)
}

/** Asks a peer once for commits that are held here, if they may show that their author has signed something else, too. */
export function suspect(step: Transition, link: LinkState, range: CommitRange): void {
  const { session, from } = range
  if ((link.suspected.get(session) ?? Infinity) <= from) return
  link.suspected.set(session, from)
  const message = { kind: 'want', ranges: [range] } as const
  step.effects.push({ kind: 'send', link: link.id, message })
}

/**
 * The link to ask for a session: the one that has failed least, then the one whose device has missed least answers in all, then its author, then the
 * one that holds most. A time when all are backed off; nothing while every peer that has it is asked for as much as it may be: then the session
 * is in their queues.
 */
function choose(
  { state, now }: Transition,
  session: SessionId,
  held: number,
  isUrgent: boolean,
): LinkState | number | undefined {
  let best: LinkState | undefined
  let until: number | undefined
  const full: LinkState[] = []
  for (const link of state.links.values()) {
    if (knownSeq(link, session) <= held) continue
    const failure = link.failures.get(session)
    if (failure && failure.until > now) until = Math.min(until ?? Infinity, failure.until)
    else if (!isUrgent && link.asks >= limits.wantsPerMessage) full.push(link)
    else if (!best || isBetter(state, link, best, session)) best = link
  }
  if (!best) for (const link of full) link.queued.add(session)
  return best ?? until
}

function isBetter(state: EngineState, a: LinkState, b: LinkState, session: SessionId): boolean {
  const failures = (link: LinkState): number => link.failures.get(session)?.count ?? 0
  if (failures(a) !== failures(b)) return failures(a) < failures(b)
  const missed = (link: LinkState): number => missedBy(state, link)
  if (missed(a) !== missed(b)) return missed(a) < missed(b)
  if (a.authored.has(session) !== b.authored.has(session)) return a.authored.has(session)
  return knownSeq(a, session) > knownSeq(b, session)
}

function deadlineOf({ state }: Transition, link: LinkState, session: SessionId, ask: Ask): number {
  const losses = Math.min(link.failures.get(session)?.count ?? 0, 4)
  const isDoubtful = ask.isElsewhere && missedBy(state, link) > 0
  const patience = isDoubtful ? timing.doubt : timing.want * 2 ** losses
  const heard = Math.max(ask.progressAt, link.answeredAt)
  return Math.min(heard + patience, Math.max(ask.askedAt, ask.progressAt) + timing.wantAtMost)
}
