import { limits, type SessionId } from '@peerplane/core'

import { frontierMessages, type Range } from '../messages.ts'
import { knownSeq, ownTips, storedSeq, wake, type LinkState, type Step } from './state.ts'
import { timing } from './types.ts'

/** Asks for what is open: each session at one peer. */
export function want(step: Step): void {
  const { state, now } = step
  if (now < state.pausedUntil) {
    wake(step, state.pausedUntil)
    return
  }
  const wants = new Map<LinkState, Range[]>()
  for (const session of state.open) {
    const held = storedSeq(state, session)
    const choice = state.frozen.has(session) ? undefined : choose(step, session, held)
    if (choice && typeof choice !== 'number') {
      // What is open stays open until an answer makes room.
      if (choice.asks >= limits.wantsPerMessage) break
      const to = knownSeq(choice, session)
      const ranges = wants.get(choice) ?? []
      wants.set(choice, ranges)
      ranges.push({ session, from: held + 1, to })
      choice.asks++
      const ask = { link: choice.id, to, askedAt: now, progressAt: now, admitting: 0 }
      state.asks.set(session, ask)
      wake(step, now + timing.want)
    }
    state.open.delete(session)
    if (typeof choice === 'number') delay(step, session, choice)
  }
  for (const [link, ranges] of wants) {
    step.effects.push({ kind: 'send', link: link.id, message: { kind: 'want', ranges } })
  }
}

/** Looks at a session again at `at`. */
export function delay(step: Step, session: SessionId, at: number): void {
  step.state.delayed.set(session, at)
  wake(step, at)
}

/** Opens what has been delayed long enough, and gives up answers that do not come. */
export function expire(step: Step): void {
  const { state, now } = step
  for (const [session, at] of state.delayed) {
    if (at > now) continue
    state.delayed.delete(session)
    state.open.add(session)
  }
  for (const [session, ask] of state.asks) {
    if (ask.admitting > 0) continue
    const link = state.links.get(ask.link)!
    if (now >= deadlineOf(link, session, ask)) fail(step, link, session)
  }
}

/** When the next of {@link expire} is due. */
export function nextExpiry({ state, now }: Step): number {
  let next = Infinity
  for (const at of state.delayed.values()) next = Math.min(next, at)
  for (const [session, ask] of state.asks) {
    // An ask that is being admitted has no deadline; there will be one when the log has answered.
    const deadline = deadlineOf(state.links.get(ask.link)!, session, ask)
    next = Math.min(next, ask.admitting > 0 ? now + timing.want : deadline)
  }
  return next
}

/** Ends the ask for a session, if there is one; whether there was one of `link`. */
export function endAsk({ state }: Step, session: SessionId, link?: LinkState): boolean {
  const ask = state.asks.get(session)
  if (!ask || (link && ask.link !== link.id)) return false
  state.asks.delete(session)
  const asked = state.links.get(ask.link)
  if (asked) asked.asks--
  return true
}

/** Gives a session up at a link for a while; it is asked for elsewhere if somebody else has it. */
export function fail(step: Step, link: LinkState, session: SessionId): void {
  const { state, now } = step
  const count = (link.failures.get(session)?.count ?? 0) + 1
  const backoff = Math.min(timing.retryAtMost, timing.retry * 2 ** (count - 1))
  link.failures.set(session, { count, until: now + backoff })
  endAsk(step, session, link)
  if (!state.asks.has(session)) state.open.add(session)
  if (++link.errors >= 3) question(step, link)
}

/** Asks a peer for its frontier, not too often. */
export function question({ state, now, effects }: Step, link: LinkState): void {
  if (now < link.questionAt || link.congested) return
  link.questionAt = now + timing.reply
  link.errors = 0
  for (const message of frontierMessages(ownTips(state), true)) {
    effects.push({ kind: 'send', link: link.id, message })
  }
}

/** The link to ask for a session: who has failed least, then its author, then who holds most. A time when all are backed off. */
function choose(
  { state, now }: Step,
  session: SessionId,
  held: number,
): LinkState | number | undefined {
  let best: LinkState | undefined
  let until: number | undefined
  for (const link of state.links.values()) {
    if (knownSeq(link, session) <= held) continue
    const failure = link.failures.get(session)
    if (failure && failure.until > now) until = Math.min(until ?? Infinity, failure.until)
    else if (!best || isBetter(link, best, session)) best = link
  }
  return best ?? until
}

function isBetter(a: LinkState, b: LinkState, session: SessionId): boolean {
  const failures = (link: LinkState): number => link.failures.get(session)?.count ?? 0
  if (failures(a) !== failures(b)) return failures(a) < failures(b)
  if (a.authored.has(session) !== b.authored.has(session)) return a.authored.has(session)
  return knownSeq(a, session) > knownSeq(b, session)
}

function deadlineOf(
  link: LinkState,
  session: SessionId,
  ask: { readonly askedAt: number; readonly progressAt: number },
): number {
  const losses = Math.min(link.failures.get(session)?.count ?? 0, 4)
  const patience = timing.want * 2 ** losses
  const heard = Math.max(ask.progressAt, link.answeredAt)
  return Math.min(heard + patience, Math.max(ask.askedAt, ask.progressAt) + timing.wantAtMost)
}
