import { canPass, isForkedTip, type ErrorCode, type Run } from '@peerplane/core'

import { ban, countFork } from './leaving.ts'
import { learn, learnAwaited } from './knowledge.ts'
import { countMissed, knownSeq, wake, type LinkState, type Transition } from './state.ts'
import { timing, type Offer, type RunOutcome } from './types.ts'
import { delay, endAsk, fail, suspect } from './wanting.ts'

/**
 * Errors that are about the run. They need not be the fault of the peer that sent it: authors can sign two versions of a session, or something
 * that passes one implementation of a signature and not another, and a peer that passes it on in good faith must not be shut out.
 */
const REFUSALS: ReadonlySet<ErrorCode> = new Set([
  'malformed',
  'too-large',
  'bad-signature',
  'broken-chain',
  'not-a-member',
])

/** A device writes one session at a time; more are left over from restarts. */
const AUTHORED_AT_MOST = 64

/** Offers runs to the log. */
export function take(step: Transition, link: LinkState, runs: readonly Run[]): void {
  const offers = runs.flatMap((run) => offer(step, link, run) ?? [])
  if (offers.length > 0) step.effects.push({ kind: 'admit', link: link.id, runs: offers })
}

/** Looks at a run before the log does; nothing if it is useless. */
function offer({ state, now }: Transition, link: LinkState, run: Run): Offer | undefined {
  const { session, from } = run
  const held = state.log.stored().get(session)
  const next = (held?.seq ?? 0) + 1
  // After a gap the run is useless; its author tells the tip in a moment, and then the whole gap is asked for.
  if (from > next) return undefined
  // The author of a fork may go on for long. Only the proof of an earlier one could be news.
  if (held && isForkedTip(held) && !run.fork) return undefined
  const ask = state.asks.get(session)
  if (ask?.link === link.id) {
    if (from === next) link.answeredAt = now
    ask.admitting++
  } else {
    const failure = link.failures.get(session)
    if (failure && failure.until > now && !link.suspected.has(session)) return undefined
    if (link.authored.size < AUTHORED_AT_MOST) link.authored.add(session)
  }
  return { run, asked: ask?.link === link.id }
}

/** Takes note of what the log has made of a run. */
export function admitted(step: Transition, id: string, outcome: RunOutcome): void {
  note(step, id, outcome)
  const { result } = outcome
  if (typeof result !== 'string' && result.forkedBy) countFork(step, result.forkedBy)
}

function note(step: Transition, id: string, { run, result }: RunOutcome): void {
  const { state, now } = step
  const { session } = run
  // The link may be gone by now; what was stored is stored.
  const link = state.links.get(id)
  const ask = state.asks.get(session)
  if (ask?.link === id) ask.admitting--
  if (typeof result === 'string') return refused(step, link, run, result)
  const held = state.log.stored().get(session)
  // What was here before is no progress: by repeating it a peer could keep others from being asked.
  const isForked = held !== undefined && isForkedTip(held)
  const isProgress = result.stored > 0 || (isForked && run.fork !== undefined)
  if (link) learnAwaited(step, link, result.awaits)
  if (link && isProgress) {
    link.failures.delete(session)
    link.progressAt = now
    wake(step, now + timing.quiet)
    // A peer that shows one version of a fork need not know of the other.
    if (held && (!isForked || run.fork)) learn(step, link, [held])
  }
  if (result.full) {
    // What it waits for is asked for first.
    endAsk(step, session)
    return delay(step, session, now + timing.overload)
  }
  if (link && ask?.link === id && isProgress) countMissed(state, link, -1)
  if (!ask) state.open.add(session)
  else if (held && held.seq >= ask.to) {
    endAsk(step, session)
    state.open.add(session)
  } else if (ask.link === id && isProgress) ask.progressAt = now
}

function refused(step: Transition, link: LinkState | undefined, run: Run, code: ErrorCode): void {
  const { state, now } = step
  const { session } = run
  // A record of another space cannot have come here in good faith.
  if (code === 'wrong-space') return link && ban(step, link, code)
  if (REFUSALS.has(code)) return link && reject(step, link, run, code)
  // The log takes it neither now nor later, as what only a newer version can read, and the peer is not to blame.
  if (!canPass(code)) return link && fail(step, link, session, timing.attempts)
  endAsk(step, session)
  if (code === 'overloaded') delay(step, session, now + timing.overload)
  else {
    state.pausedUntil = now + timing.storeFailure
    state.open.add(session)
  }
}

/** Does without a session from a peer, whose run the log has refused. */
function reject(step: Transition, link: LinkState, { session, from }: Run, code: ErrorCode): void {
  const isAsked = step.state.asks.get(session)?.link === link.id
  if (!isAsked && ++link.refusals >= timing.refusals) return ban(step, link, code)
  const to = knownSeq(link, session)
  // Nothing is asked of it that it does not claim to hold.
  if (to === 0) return
  fail(step, link, session, timing.attempts)
  // The run does not continue what is held here: from its beginning on the session shows where the two part.
  if (code === 'broken-chain' && from > 1) suspect(step, link, { session, from: 1, to })
}
