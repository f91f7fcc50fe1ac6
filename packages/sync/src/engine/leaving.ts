import { limits, type DeviceId, type ErrorCode } from '@peerplane/core'

import { dropOldest, type LinkState, type Transition } from './state.ts'
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

/** Ends all links of the device of a peer that broke the protocol, and refuses others for a while: longer each time. */
export function ban(step: Transition, link: LinkState, reason: ErrorCode): void {
  refuse(step, link.device, reason, timing.ban)
}

/**
 * Counts a proof that a device has forked a session, no matter which peer has sent the proof. Many proofs in a short time keep all devices busy, so
 * links of the forking device are refused. Its other sessions are still accepted from other peers: otherwise, replicas with different proofs would differ.
 */
export function countFork(step: Transition, device: DeviceId): void {
  const { state, now } = step
  const before = state.forks.get(device) ?? []
  const recent = [...before.filter((at) => at + timing.forkMemory > now), now].slice(-timing.forks)
  state.forks.delete(device)
  state.forks.set(device, recent)
  dropOldest(state.forks)
  // Proofs that others bring meanwhile are no reason for a longer pause.
  const isRefused = (state.banned.get(device)?.until ?? 0) > now
  if (recent.length >= timing.forks && !isRefused) refuse(step, device, 'fork', timing.forkBan)
}

/** Refuses the links of a device: for `first` milliseconds the first time. */
function refuse(step: Transition, device: DeviceId, reason: ErrorCode, first: number): void {
  const { banned, links } = step.state
  const times = (banned.get(device)?.times ?? 0) + 1
  const pause = Math.min(limits.shutOutMostMs, first * 2 ** (times - 1))
  banned.delete(device)
  banned.set(device, { until: step.now + pause, times, reason })
  dropOldest(banned)
  for (const link of links.values()) {
    if (link.device !== device) continue
    linkDown(step, link)
    step.effects.push({ kind: 'disconnect', link: link.id, reason })
  }
}
