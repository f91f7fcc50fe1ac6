import type { Scheduler } from '@peerplane/core'
import type { Connection, MultiaddrConnection, Stream } from '@libp2p/interface'

const SIGNALING_PROTOCOL = '/webrtc-signaling/0.0.1'

/** Enough for the last message of signaling to come through a slow relay. */
const PATIENCE_MS = 2_000

/**
 * Resolves when the signaling for an incoming WebRTC connection is over on both sides.
 *
 * The side that is called closes the first data channel as soon as its connection is set up. If that happens before the caller learns that it
 * is connected, the caller waits for the channel to open until it gives up, and the connection is lost. The caller ends its signaling stream
 * after it has no more use for that channel; waiting for this end avoids the race.
 */
export async function signalingEnded(
  incoming: MultiaddrConnection,
  connections: readonly Connection[],
  scheduler: Scheduler,
): Promise<void> {
  const parts = incoming.remoteAddr.getComponents()
  if (parts[0]?.name !== 'webrtc') return
  const caller = parts.at(-1)?.value
  const streams = connections
    .filter((connection) => connection.remotePeer.toString() === caller)
    .flatMap((connection) => connection.streams)
    .filter(({ protocol, direction }) => protocol === SIGNALING_PROTOCOL && direction === 'inbound')
  await Promise.all(streams.map(async (stream) => ended(stream, scheduler)))
}

async function ended(stream: Stream, scheduler: Scheduler): Promise<void> {
  if (stream.status !== 'open' && stream.status !== 'closing') return
  await new Promise<void>((resolve) => {
    const cancel = scheduler.after(PATIENCE_MS, resolve)
    stream.addEventListener('close', () => {
      cancel()
      resolve()
    })
  })
}
