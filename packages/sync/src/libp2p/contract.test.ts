import { utf8 } from '@peerplane/core'
import type { Channel, DeviceId, Identity, Network, NetworkHandler } from '@peerplane/core'
import { networkContract } from '@peerplane/core/testing'
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { tcp } from '@libp2p/tcp'

import { createLibp2pNetwork } from './network.ts'

const scheduler = {
  after: (delayMs: number, task: () => void): (() => void) => {
    const timer = setTimeout(task, delayMs)
    return () => clearTimeout(timer)
  },
}
const random = { bytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)) }

interface PeerOptions {
  readonly anchor: boolean
  readonly listens: boolean
  readonly dial: readonly string[]
}

const peer = ({ anchor, listens, dial }: PeerOptions): Promise<Network> =>
  createLibp2pNetwork({
    anchor,
    topic: 'topic of a contract',
    listen: listens ? ['/ip4/127.0.0.1/tcp/0'] : [],
    announce: [],
    dial,
    transports: [tcp(), ...(anchor ? [] : [circuitRelayTransport()])],
    ...(anchor && { relay: circuitRelayServer({ reservations: { applyDefaultLimit: false } }) }),
    webrtc: false,
    clock: { now: () => Date.now() },
    scheduler,
    random,
  })

/** An anchor that believes everybody and says nothing. */
const host: NetworkHandler = {
  authenticate: async (channel: Channel): Promise<Identity> => {
    await channel.send(utf8('device anchor'))
    await channel.receive()
    await channel.send(utf8('welcome'))
    await channel.receive()
    return { device: channel.remotePeer as DeviceId, anchor: false }
  },
  connected: () => undefined,
  frame: async () => undefined,
  disconnected: () => undefined,
  announcement: () => true,
}

networkContract('libp2p over TCP', async () => {
  const anchor = await peer({ anchor: true, listens: true, dial: [] })
  await anchor.start(host)
  const dial = anchor.addresses()
  const via = anchor.localPeer
  const a = await peer({ anchor: false, listens: false, dial })
  const b = await peer({ anchor: false, listens: true, dial })
  const timers: NodeJS.Timeout[] = []
  return {
    a,
    b,
    // Again and again, as sync does: they may not have reached the anchor yet.
    connect: () => {
      const introduce = (): void => {
        a.introduce(via, [{ peer: b.localPeer, addresses: [] }])
        b.introduce(via, [{ peer: a.localPeer, addresses: [] }])
      }
      timers.push(setInterval(introduce, 100))
    },
    upgrade: () => a.introduce(via, [{ peer: b.localPeer, addresses: b.addresses() }]),
    close: async () => {
      for (const timer of timers) clearInterval(timer)
      await anchor.stop()
    },
  }
})
