import type { Channel } from '@peerplane/core'

/** One end of a channel in memory. */
export interface TestChannel extends Channel {
  /** Every frame that this end has sent. */
  readonly sent: readonly Uint8Array[]
  close(): void
}

/** Two connected ends; the first is the initiator's. `change` may replace what passes from an end, or drop it. */
export function channelPair(
  initiator: string,
  responder: string,
  change: (frame: Uint8Array, from: string) => Uint8Array | undefined = (frame) => frame,
): [TestChannel, TestChannel] {
  const toInitiator = queue()
  const toResponder = queue()
  const closeBoth = (): void => {
    toInitiator.close()
    toResponder.close()
  }
  const end = (localPeer: string, remotePeer: string, out: Queue, into: Queue): TestChannel => {
    const sent: Uint8Array[] = []
    return {
      localPeer,
      remotePeer,
      initiator: localPeer === initiator,
      sent,
      recognized: () => {},
      async send(frame) {
        if (out.closed()) throw new Error('the channel is closed')
        sent.push(frame)
        const passed = change(frame, localPeer)
        if (passed) out.push(passed)
      },
      receive: () => into.next(),
      close: closeBoth,
    }
  }
  return [
    end(initiator, responder, toResponder, toInitiator),
    end(responder, initiator, toInitiator, toResponder),
  ]
}

interface Queue {
  push(frame: Uint8Array): void
  next(): Promise<Uint8Array>
  close(): void
  closed(): boolean
}

function queue(): Queue {
  const frames: Uint8Array[] = []
  const waiting: { resolve: (frame: Uint8Array) => void; reject: (error: Error) => void }[] = []
  let isClosed = false
  return {
    push(frame) {
      const reader = waiting.shift()
      if (reader) reader.resolve(frame)
      else frames.push(frame)
    },
    next() {
      const frame = frames.shift()
      if (frame) return Promise.resolve(frame)
      if (isClosed) return Promise.reject(new Error('the channel is closed'))
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
    },
    close() {
      isClosed = true
      for (const reader of waiting.splice(0)) reader.reject(new Error('the channel is closed'))
    },
    closed: () => isClosed,
  }
}
