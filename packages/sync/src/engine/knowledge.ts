import { isForkedTip, limits, type SessionId } from '@peerplane/core'

import {
  missedBy,
  storedSeq,
  type Claim,
  type EngineState,
  type LinkState,
  type Transition,
} from './state.ts'
import { holdsSame } from './summaries.ts'
import { timing } from './types.ts'
import { delay, noteElsewhere, suspect } from './wanting.ts'

/** What a peer says it holds of a session. */
export type Claimed = Claim & { readonly session: SessionId }

/** Takes in how far a peer says it holds sessions. What does not fit is looked for again later. */
export function learn(step: Transition, link: LinkState, claims: readonly Claimed[]): void {
  makeRoom(step, link, claims.length)
  const news = claims.filter((claim) => note(step, link, claim))
  for (const claim of news) consider(step, link, claim)
}

/** Looks again at everything that a peer has claimed: whatever was overlooked before is found now. */
export function learnAgain(step: Transition, link: LinkState): void {
  for (const [session, claim] of link.claims) consider(step, link, { session, ...claim })
}

/** Others wait for these commits, which a peer holds: it has served what depends on them. */
export function learnAwaited(
  step: Transition,
  link: LinkState,
  dots: readonly { readonly session: SessionId; readonly seq: number }[],
): void {
  const { state } = step
  makeRoom(step, link, dots.length)
  for (const { session, seq } of dots) {
    if (storedSeq(state, session) >= seq) continue
    note(step, link, { session, seq, mark: undefined }, 2 * limits.claimsPerLink)
    const { until = 0, count = 0 } = link.failures.get(session) ?? {}
    if (until > step.now || count > 0) continue
    state.delayed.delete(session)
    if (!state.asks.has(session)) state.urgent.add(session)
  }
}

/** Remembers a claim; whether it is new and could be. */
function note(
  step: Transition,
  link: LinkState,
  { session, seq, mark }: Claimed,
  most: number = limits.claimsPerLink,
): boolean {
  const { state } = step
  const known = link.claims.get(session)
  if (known ? known.seq >= seq : link.claims.size >= most) return false
  link.claims.set(session, { seq, mark })
  const { remote } = link
  const more = isForkedTip({ seq }) ? 0 : seq - Math.max(known?.seq ?? 0, storedSeq(state, session))
  if (remote && more > 0) link.remote = { ...remote, commits: remote.commits + more }
  return true
}

/** Forgets claims to what is held by now, if there may be no room for more. Once for a message: it costs as much as there are claims. */
function makeRoom({ state }: Transition, { claims }: LinkState, more: number): void {
  if (claims.size + more <= limits.claimsPerLink) return
  for (const [session, { seq }] of claims) {
    if (storedSeq(state, session) >= seq) claims.delete(session)
  }
}

/** How many sessions a peer has further than we do, and may still bring. */
export function outstanding({ state }: Transition, link: LinkState): number {
  let count = 0
  for (const [session, { seq }] of link.claims) {
    if (storedSeq(state, session) < seq && !isGivenUp(link, session)) count++
  }
  return count
}

/** Commits that a peer has and we do not hold, unless it did not bring them when asked; and those that we hold and it lacks. */
export function compare(
  { state }: Pick<Transition, 'state'>,
  link: LinkState,
): { readonly pending: number; readonly behind: number } {
  const { remote } = link
  if (remote && holdsSame(state, remote)) return { pending: 0, behind: 0 }
  let behind = 0
  const isBelieved = missedBy(state, link) < timing.attempts
  for (const [session, { seq }] of link.claims) {
    if (isDoubtful(link, session) || !(isBelieved || isBringing(state, link, session))) continue
    behind += distance(storedSeq(state, session), seq)
  }
  const { commits } = state.log.tips
  const pending = commits - (remote?.commits ?? 0) + behind
  return { pending: Math.min(commits, Math.max(0, pending)), behind }
}

/** Whether a peer has brought a part of what it was last asked for of a session. */
function isBringing({ asks }: EngineState, link: LinkState, session: SessionId): boolean {
  const ask = asks.get(session)
  return ask?.link === link.id && ask.progressAt > ask.askedAt
}

/** A peer may lose one answer. */
const isDoubtful = (link: LinkState, session: SessionId): boolean =>
  (link.failures.get(session)?.count ?? 0) > 1

const isGivenUp = (link: LinkState, session: SessionId): boolean =>
  (link.failures.get(session)?.count ?? 0) >= timing.attempts

/** Commits from one seq to a later one; up to the tip of a fork it is not known how many, at least one. */
const distance = (from: number, to: number): number =>
  isForkedTip({ seq: to }) ? Number(from < to) : Math.max(0, to - from)

/** Plans to ask for a session that a peer holds further than we do. */
function consider(step: Transition, link: LinkState, { session, seq, mark }: Claimed): void {
  const { state, now } = step
  const stored = state.log.stored().get(session)
  if (stored?.seq === seq && mark !== undefined && stored.mark !== mark) {
    // Two versions of one session, up to one number or up to one fork: the log can prove where they part, once it has seen the other.
    suspect(step, link, { session, from: seq, to: seq })
  }
  if (stored && stored.seq >= seq) return
  // It is planned for this peer already. A peer can claim very much, and say so again and again.
  if (link.queued.has(session) || (link.failures.get(session)?.until ?? 0) > now) return
  const ask = state.asks.get(session)
  if (ask && ask.link !== link.id) noteElsewhere(step, ask)
  // A long delay is about another peer, which has failed.
  const delayed = (state.delayed.get(session) ?? 0) - now
  if (ask || (delayed > 0 && delayed <= timing.overload)) return
  const author = [...state.links.values()].find(({ authored }) => authored.has(session))
  if (author && author !== link) delay(step, session, now + timing.grace)
  else state.open.add(session)
}
