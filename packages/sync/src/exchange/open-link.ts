import { limits, type Link, type Replica } from '@peerplane/core'

import { encodeMessage, type Message } from '../wire/messages.ts'
import { Serving, type ServingPorts } from './serving.ts'

/** The sending side of one link. */
export interface OpenLink {
  readonly link: Link
  readonly serving: Serving
  /** Resolves when the link takes more. */
  send(message: Message): Promise<void>
  /** Sends a message that was encoded before, for several links. */
  sendFrame(frame: Uint8Array): Promise<void>
}

/** What an open link reports. */
export interface OpenLinkEvents extends Pick<ServingPorts, 'perturb' | 'done' | 'failed'> {
  /** More waits to leave than `limits.outboxBytes`, or less than half of it again. */
  readonly congestion: (congested: boolean) => void
}

/** Counts what waits to leave over `link`, and serves ranges over it. */
export function createOpenLink(link: Link, replica: Replica, events: OpenLinkEvents): OpenLink {
  let waiting = 0
  let congested = false

  async function sendFrame(frame: Uint8Array): Promise<void> {
    count(frame.length)
    await link.send(frame)
    count(-frame.length)
  }

  function count(bytes: number): void {
    waiting += bytes
    const over = congested ? waiting > limits.outboxBytes / 2 : waiting > limits.outboxBytes
    if (over === congested) return
    congested = over
    events.congestion(over)
  }

  const send = (message: Message): Promise<void> => sendFrame(encodeMessage(message))
  const serving = new Serving({
    replica,
    perturb: events.perturb,
    send: (runs) => send({ kind: 'runs', runs }),
    done: events.done,
    failed: events.failed,
  })
  return { link, serving, send, sendFrame }
}
