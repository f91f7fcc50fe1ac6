import { limits, type ErrorCode } from '@peerplane/core'

import type { LinkState, Transition } from './state.ts'
import { timing } from './types.ts'

/** Forgets a link; what it was asked for is asked for elsewhere. */
export function linkDown(step: Transition, link: LinkState): void {
  const { state } = step
  state.links.delete(link.id)
  // Somebody else may have what waited for room here.
  for (const session of link.queued) state.open.add(session)
  for (const [session, ask] of state.asks) {
    if (ask.link !== link.id) continue
    state.asks.delete(session)
    state.open.add(session)
  }
}

/** Ends a link whose peer broke the protocol, and does not listen to its device for a while: longer each time. */
export function ban(step: Transition, link: LinkState, reason: ErrorCode): void {
  const { banned } = step.state
  const times = (banned.get(link.device)?.times ?? 0) + 1
  const pause = Math.min(limits.shutOutMostMs, timing.ban * 2 ** (times - 1))
  banned.delete(link.device)
  banned.set(link.device, { until: step.now + pause, times, reason })
  const [oldest] = banned.keys()
  if (banned.size > limits.shutOutMemory && oldest !== undefined) banned.delete(oldest)
  linkDown(step, link)
  step.effects.push({ kind: 'disconnect', link: link.id, reason })
}
