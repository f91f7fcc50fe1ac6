import type { Summary } from '@peerplane/core'

import type { Message } from '../wire/messages.ts'
import { wake, type EngineState, type LinkState, type Transition } from './state.ts'
import { timing } from './types.ts'

/** Whether a peer that sent this summary of everything held what is held here now. A digest costs much while sessions come in, so it is compared last. */
export function holdsSame({ log: { tips } }: EngineState, remote: Summary): boolean {
  return remote.sessions === tips.all.size && remote.digest === tips.summary().digest
}

/** Sends the summary of everything, and plans the next time. */
export function tellSummary(step: Transition, link: LinkState, reply = false): void {
  if (reply && (step.now < link.questionAt || link.congested)) return
  if (reply) link.questionAt = step.now + timing.reply
  link.summaryAt = step.now + link.summaryPeriod
  wake(step, link.summaryAt)
  if (!link.congested) send(step, link, summaryOf([step.state.log.tips.summary()], reply))
}

/** Sends a summary soon: it acknowledges what has come, and shows whether both hold the same. */
export function tellSummarySoon(step: Transition, link: LinkState): void {
  link.summaryAt = Math.min(link.summaryAt, step.now + timing.acknowledgement)
  wake(step, link.summaryAt)
}

/** The message that states what is held below some paths. */
export const summaryOf = (nodes: readonly Summary[], reply: boolean): Message => ({
  kind: 'summary',
  nodes,
  reply,
})

/** Sends a message over a link. */
export function send({ effects }: Transition, link: LinkState, message: Message): void {
  effects.push({ kind: 'send', link: link.id, message })
}
