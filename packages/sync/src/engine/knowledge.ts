import { isForkedTip, limits, type SessionId, type Tip } from '@peerplane/core'

import { ban } from './leaving.ts'
import { claims, hasRoom, knownSeq, knownTips, type LinkState, type Transition } from './state.ts'
import { timing } from './types.ts'
import { delay, suspect } from './wanting.ts'

/** Takes in tips that a peer has sent. */
export function learn(step: Transition, link: LinkState, tips: readonly Tip[]): void {
  const told = tips.filter((tip) => {
    const listed = link.listed.get(tip.session)
    if (listed ? listed.seq >= tip.seq : !hasRoom(link)) return false
    link.listed.set(tip.session, tip)
    // So far it only followed from another session.
    if (!listed) link.failures.delete(tip.session)
    return true
  })
  for (const tip of told) imply(step, link, tip.session)
  for (const tip of told) consider(step, link, tip)
  dismissGreediest(step)
}

/** When all peers together claim more than may be remembered, the peer that claims most is shut out for a while. */
function dismissGreediest(step: Transition): void {
  const links = [...step.state.links.values()]
  if (links.reduce((sum, link) => sum + claims(link), 0) <= limits.claimedSessions) return
  ban(
    step,
    links.reduce((most, link) => (claims(link) > claims(most) ? link : most)),
    'overloaded',
  )
}

/** Takes in the whole frontier of a peer, and looks again at everything it holds: whatever was overlooked before is found now. */
export function learnFrontier(step: Transition, link: LinkState, tips: readonly Tip[]): void {
  learn(step, link, tips)
  if (step.now < link.lookAt) return
  link.lookAt = step.now + Math.max(timing.reply, claims(link) * timing.lookAtEach)
  for (const tip of knownTips(link)) consider(step, link, tip)
}

/** Takes in what an opening that has come implies about every peer that lists its session. */
export function learnOpening(step: Transition, session: SessionId): void {
  for (const link of step.state.links.values()) {
    if (knownSeq(link, session) > 0) imply(step, link, session)
  }
}

/**
 * Commits that a peer has announced and we do not hold, unless it did not bring them when asked; and those that we hold and it lacks. Of a
 * peer that has announced very many sessions it may be a little old.
 */
export function compare(
  { state, now }: Pick<Transition, 'state' | 'now'>,
  link: LinkState,
): { pending: number; behind: number } {
  const { compared } = link
  if (compared && now < compared.at + claims(link) * timing.lookAtEach - COMPARED_AT_ONCE_MS) {
    return compared
  }
  const { log } = state
  const stored = log.stored()
  let pending = 0
  let behind = 0
  for (const { session, seq } of log.delivered().values()) {
    pending += distance(knownSeq(link, session), seq)
  }
  for (const { session, seq } of knownTips(link)) {
    if (!isGivenUp(link, session)) behind += distance(stored.get(session)?.seq ?? 0, seq)
  }
  link.compared = { at: now, pending, behind }
  return link.compared
}

/** Up to 2,500 sessions are compared whenever somebody asks. */
const COMPARED_AT_ONCE_MS = 100

const isGivenUp = (link: LinkState, session: SessionId): boolean =>
  (link.failures.get(session)?.count ?? 0) >= timing.attempts

/** Commits from one seq to a later one; up to the tip of a fork it is not known how many, at least one. */
const distance = (from: number, to: number): number =>
  isForkedTip({ seq: to }) ? Number(from < to) : Math.max(0, to - from)

function imply(step: Transition, link: LinkState, session: SessionId): void {
  const queue = [session]
  for (let child = queue.pop(); child; child = queue.pop()) {
    for (const parent of step.state.log.lineage(child) ?? []) {
      const known = link.implied.get(parent.session)
      if (known ? known.seq >= parent.seq : !hasRoom(link)) continue
      link.implied.set(parent.session, parent)
      if (link.listed.has(parent.session)) continue
      consider(step, link, parent)
      queue.push(parent.session)
    }
  }
}

/** Plans to ask for a session that a peer holds further than we do. */
function consider(step: Transition, link: LinkState, tip: Tip): void {
  const { state, now } = step
  const { session, seq } = tip
  const stored = state.log.stored().get(session)
  if (stored?.seq === seq && stored.mark !== tip.mark) {
    // Two versions of one session, up to one number or up to one fork: the log can prove where they part, once it has seen the other.
    suspect(step, link, { session, from: seq, to: seq })
  }
  if (stored && stored.seq >= seq) return
  // It is planned for this peer already. A peer can claim very much, and say so again and again.
  if (link.queued.has(session) || (link.failures.get(session)?.until ?? 0) > now) return
  // A long delay is about another peer, which has failed.
  const delayed = (state.delayed.get(session) ?? 0) - now
  if (state.asks.has(session) || (delayed > 0 && delayed <= timing.overload)) return
  const author = [...state.links.values()].find(({ authored }) => authored.has(session))
  if (author && author !== link) delay(step, session, now + timing.grace)
  else state.open.add(session)
}
