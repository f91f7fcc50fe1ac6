import type { Admitted, ErrorCode, Run, SessionId } from '@peerplane/core'

import { learn, learnOpening } from './knowledge.ts'
import { storedSeq, type LinkState, type Step } from './state.ts'
import { timing } from './types.ts'
import { delay, endAsk, fail } from './wanting.ts'

/** Errors that only a peer that breaks the protocol can cause: honest peers check before they pass on. */
const VIOLATIONS: ReadonlySet<ErrorCode> = new Set([
  'malformed',
  'too-large',
  'bad-signature',
  'wrong-space',
  'not-a-member',
])

/** A device writes one session at a time; more are left over from restarts. */
const AUTHORED_AT_MOST = 64

/** Offers a run to the log. */
export function take({ state, now, effects }: Step, link: LinkState, run: Run): void {
  const { session, from } = run
  // After a gap the run is useless; its author tells the tip in a moment, and then the whole gap is asked for.
  if (state.frozen.has(session) || from > storedSeq(state, session) + 1) return
  const ask = state.asks.get(session)
  if (ask?.link === link.id) {
    link.answeredAt = now
    ask.admitting++
  } else if (link.authored.size < AUTHORED_AT_MOST) link.authored.add(session)
  effects.push({ kind: 'admit', link: link.id, run })
}

/** Takes note of what the log has made of a run. */
export function admitted(step: Step, id: string, run: Run, result: Admitted | ErrorCode): void {
  const { state, now } = step
  const { session } = run
  // The link may be gone by now; what was stored is stored.
  const link = state.links.get(id)
  const ask = state.asks.get(session)
  if (ask?.link === id) ask.admitting--
  if (typeof result === 'string') return refused(step, link, session, result)
  const held = state.log.stored().get(session)
  if (run.opening) learnOpening(step, session)
  if (link) {
    link.failures.delete(session)
    if (result.stored > 0 && held) learn(step, link, [held])
  }
  if (!ask) state.open.add(session)
  else if (held && held.seq >= ask.to) {
    endAsk(step, session)
    state.open.add(session)
  } else if (ask.link === id) ask.progressAt = now
}

function refused(
  step: Step,
  link: LinkState | undefined,
  session: SessionId,
  code: ErrorCode,
): void {
  const { state, now } = step
  if (code === 'closed') return
  if (link && VIOLATIONS.has(code)) return ban(step, link, code)
  if (code === 'fork') state.frozen.add(session)
  if (code === 'broken-chain' && link) return fail(step, link, session)
  endAsk(step, session)
  if (code === 'overloaded') delay(step, session, now + timing.overload)
  else if (code !== 'fork') {
    state.pausedUntil = now + timing.storeFailure
    state.open.add(session)
  }
}

/** Forgets a link; what it was asked for is asked for elsewhere. */
export function linkDown(step: Step, link: LinkState): void {
  const { state } = step
  state.links.delete(link.id)
  for (const [session, ask] of state.asks) {
    if (ask.link !== link.id) continue
    state.asks.delete(session)
    state.open.add(session)
  }
}

/** Ends a link whose peer broke the protocol, and does not listen to its device for a while. */
export function ban(step: Step, link: LinkState, reason: ErrorCode): void {
  const { state, now } = step
  state.banned.set(link.device, { until: now + timing.ban, reason })
  linkDown(step, link)
  step.effects.push({ kind: 'disconnect', link: link.id, reason })
}
