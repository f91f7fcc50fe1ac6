import type { SessionId, Tip } from '@peerplane/core'

import { ANNOUNCED_TIPS } from '../wire/announcement.ts'
import { haveMessages } from '../wire/messages.ts'
import { knownSeq, wake, type LinkState, type Transition } from './state.ts'
import { tellSummarySoon } from './summaries.ts'
import { timing, type OwnBatch } from './types.ts'

/**
 * Announces what has been delivered at once to links whose peer is not known to have it, and a summary of everything soon to all: it
 * acknowledges, and shows when both hold the same. A batch of this device goes whole to every peer that has all of the session before it. What
 * it depends on was delivered here before, and is announced before the batch on the same ordered link.
 */
export function tell(
  step: Transition,
  own: OwnBatch | undefined,
  others: Iterable<SessionId> | 'all',
): void {
  const { state, now } = step
  if (own) begin(step, own.session)
  const changed = others === 'all' ? changedTips(step) : changedTips(step, others, own)
  if (changed.length === 0 && !own) return
  for (const link of state.links.values()) {
    const pushes = own !== undefined && mayPush(link, own) && !state.perturb('no-push')
    for (const { session, seq } of changed) {
      // The batch is sent anyway, and `served` confirms that it is complete.
      if (session === state.ownSession && (pushes || link.following)) continue
      if (knownSeq(link, session) >= seq) continue
      owe(link, session, state.perturb('tell-late') ? now + timing.acknowledgement : now)
    }
    tellSummarySoon(step, link)
    tellDue(step, link)
    if (pushes) {
      push(step, link, own)
      tellDue(step, link)
    }
  }
  announceLater(step, changed)
}

/** The first batch of a new session may be pushed while a range of the one before is on its way. */
function begin({ state }: Transition, session: SessionId): void {
  if (state.ownSession === session) return
  state.ownSession = session
  for (const link of state.links.values()) link.following = false
}

/** Announces to a link what is queued for it if it is time, or schedules it. For a congested link it stays queued. */
export function tellDue(step: Transition, link: LinkState): void {
  if (link.owed.size === 0 || link.congested) return
  if (link.tellAt > step.now) {
    wake(step, link.tellAt)
    return
  }
  const delivered = step.state.log.delivered()
  const tips = [...link.owed].flatMap((session) => delivered.get(session) ?? [])
  settle(link)
  for (const message of haveMessages(tips)) {
    step.effects.push({ kind: 'send', link: link.id, message })
  }
}

/** A range has been sent. Of this device's session, what was written meanwhile follows; when nothing was, the next batch may be pushed. */
export function served(
  step: Transition,
  link: LinkState,
  range: { readonly session: SessionId; readonly to: number; readonly complete: boolean },
): void {
  const { session, to, complete } = range
  if (session !== step.state.ownSession) return
  const end = step.state.log.delivered().get(session)?.seq ?? 0
  if (complete && end > to) {
    step.effects.push({ kind: 'sendRange', link: link.id, session, from: to + 1, to: end })
    return
  }
  link.following = false
  link.pushed = { session, seq: to }
  owe(link, session, step.now + timing.acknowledgement)
  tellDue(step, link)
}

/** Announces at `at` or earlier, if there is any link. */
export function announceBy(step: Transition, at: number): void {
  if (step.state.links.size === 0) return
  step.state.announceAt = Math.min(step.state.announceAt, at)
  wake(step, step.state.announceAt)
}

/** Gossips what is held and what has changed, and plans the next time. */
export function announce(step: Transition): void {
  const { state, now, effects } = step
  state.announceAt = Infinity
  if (state.links.size === 0) return
  const { commits, digest } = state.log.tips.summary()
  const delivered = state.log.delivered()
  const tips = [...state.fresh].flatMap((session) => delivered.get(session) ?? [])
  state.fresh.clear()
  if (!state.perturb('no-announcement')) {
    effects.push({ kind: 'announce', content: { commits, digest, tips } })
  }
  announceBy(step, now + state.announcePeriod)
}

function announceLater(step: Transition, changed: readonly Tip[]): void {
  const { fresh } = step.state
  for (const { session } of changed) {
    fresh.delete(session)
    fresh.add(session)
  }
  for (const session of fresh) {
    if (fresh.size <= ANNOUNCED_TIPS) break
    fresh.delete(session)
  }
  announceBy(step, step.now + timing.announcementDelay)
}

/** What has not been announced, of these sessions or of all. */
function changedTips({ state }: Transition, others?: Iterable<SessionId>, own?: OwnBatch): Tip[] {
  const delivered = state.log.delivered()
  const sessions = others ? new Set([...others, ...(own ? [own.session] : [])]) : delivered.keys()
  const changed: Tip[] = []
  for (const session of sessions) {
    const tip = delivered.get(session)
    if (!tip || (state.told.get(session) ?? 0) >= tip.seq) continue
    state.told.set(tip.session, tip.seq)
    changed.push(tip)
  }
  return changed
}

function mayPush(link: LinkState, own: OwnBatch): boolean {
  if (link.congested || link.following) return false
  const pushed = link.pushed?.session === own.session ? link.pushed.seq : 0
  return Math.max(pushed, knownSeq(link, own.session)) === own.from - 1
}

function push({ now, effects }: Transition, link: LinkState, own: OwnBatch): void {
  if (own.from === 1) {
    // The opening goes with it, which only the log can add.
    link.following = true
    effects.push({ kind: 'sendRange', link: link.id, ...own })
    return
  }
  effects.push({ kind: 'push', link: link.id })
  link.pushed = { session: own.session, seq: own.to }
  owe(link, own.session, now + timing.acknowledgement)
}

function owe(link: LinkState, session: SessionId, at: number): void {
  link.owed.add(session)
  link.tellAt = Math.min(link.tellAt, at)
}

function settle(link: LinkState): void {
  link.owed.clear()
  link.tellAt = Infinity
}
