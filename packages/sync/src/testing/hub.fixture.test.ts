import type { Identity, Link, Network, NetworkHandler, Scheduler } from '@peerplane/core'

import { decodeMessage, encodeMessage, type Message } from '../wire/messages.ts'
import { channelPair } from './channel-pair.fixture.test.ts'

/** A frame that has been sent over a link of a hub. */
interface Sent {
  readonly from: string
  readonly to: string
  readonly message: Message | undefined
  readonly bytes: number
}

/** Networks in one process that are connected as a test says. */
export interface Hub {
  join(peer: string): Network
  /** Connects two started networks; resolves when both handshakes have ended. */
  connect(a: string, b: string): Promise<void>
  disconnect(a: string, b: string): void
  /** Sends what no sync of ours would send. */
  send(from: string, to: string, message: Message): void
  /** Everything sent so far over links. */
  readonly sent: Sent[]
  /** Announcements gossiped so far, by their senders. */
  readonly announced: string[]
  /** Frames that are lost, which no real link does. */
  loses: (sent: Sent) => boolean
  /** Whether gossip reaches anybody. */
  gossips: boolean
  /** From sending a frame to its arrival. */
  latencyMs: number
  /** Peers that were introduced: `via`, by whom they were introduced, and to whom. */
  readonly introduced: { readonly to: string; readonly via: string; readonly peer: string }[]
}

interface Node {
  handler: NetworkHandler | undefined
  readonly links: Map<string, HubLink>
}

interface HubLink extends Link {
  readonly other: () => HubLink
  deliver(frame: Uint8Array): Promise<void>
  drop(): void
}

/** A hub whose frames take their time by `scheduler`. */
export function createHub(scheduler: Scheduler): Hub {
  const nodes = new Map<string, Node>()
  let count = 0

  function link(local: string, remote: string, identity: Identity, other: () => HubLink): HubLink {
    const id = `link${count++}`
    let open = true
    let processed: Promise<void> = Promise.resolve()
    const self: HubLink = {
      id,
      peer: remote,
      identity,
      path: 'direct',
      other,
      send(frame) {
        const sent: Sent = {
          from: local,
          to: remote,
          message: decodeMessage(frame),
          bytes: frame.length,
        }
        if (!open) return Promise.resolve()
        hub.sent.push(sent)
        if (hub.loses(sent)) return Promise.resolve()
        return new Promise((resolve) => {
          scheduler.after(hub.latencyMs, () => void other().deliver(frame).then(resolve))
        })
      },
      deliver(frame) {
        processed = processed.then(async () => {
          if (open) await nodes.get(local)?.handler?.frame(self, frame)
        })
        return processed
      },
      close: () => hub.disconnect(local, remote),
      drop() {
        open = false
        const node = nodes.get(local)
        if (node?.links.get(remote) !== self) return
        node.links.delete(remote)
        node.handler?.disconnected(self)
      },
    }
    return self
  }

  const hub: Hub = {
    sent: [],
    announced: [],
    introduced: [],
    loses: () => false,
    gossips: true,
    latencyMs: 5,
    join(peer) {
      const node: Node = { handler: undefined, links: new Map() }
      nodes.set(peer, node)
      return {
        localPeer: peer,
        async start(handler) {
          node.handler = handler
        },
        async stop() {
          for (const remote of node.links.keys()) hub.disconnect(peer, remote)
          node.handler = undefined
        },
        announce(payload) {
          hub.announced.push(peer)
          for (const other of hub.gossips ? reachable(peer) : []) {
            scheduler.after(hub.latencyMs, () => nodes.get(other)?.handler?.announcement(payload))
          }
        },
        introduce(via, peers) {
          for (const each of peers) hub.introduced.push({ to: peer, via, peer: each.peer })
        },
        addresses: () => [`/memory/${peer}`],
        status: () => ({
          started: node.handler !== undefined,
          connections: [...node.links.keys()].map((remote) => ({ peer: remote, path: 'direct' })),
          lastError: undefined,
          refused: {},
        }),
      }
    },
    async connect(a, b) {
      const [left, right] = [nodes.get(a), nodes.get(b)]
      if (!left?.handler || !right?.handler) throw new Error('both networks must be started')
      const [toB, toA] = channelPair(a, b)
      const proofs = await Promise.all(
        [left.handler.authenticate(toB), right.handler.authenticate(toA)].map((each) =>
          each.catch(() => {
            toA.close()
            return undefined
          }),
        ),
      )
      const [identityOfB, identityOfA] = proofs
      if (!identityOfA || !identityOfB) return
      const ends: HubLink[] = []
      ends.push(
        link(a, b, identityOfB, () => ends[1]!),
        link(b, a, identityOfA, () => ends[0]!),
      )
      left.links.get(b)?.drop()
      right.links.get(a)?.drop()
      left.links.set(b, ends[0]!)
      right.links.set(a, ends[1]!)
      left.handler?.connected(ends[0]!)
      right.handler?.connected(ends[1]!)
    },
    send(from, to, message) {
      void nodes.get(from)?.links.get(to)?.send(encodeMessage(message))
    },
    disconnect(a, b) {
      nodes.get(a)?.links.get(b)?.drop()
      nodes.get(b)?.links.get(a)?.drop()
    },
  }

  function reachable(from: string): string[] {
    const seen = new Set([from])
    for (const peer of seen) {
      for (const remote of nodes.get(peer)?.links.keys() ?? []) seen.add(remote)
    }
    seen.delete(from)
    return [...seen]
  }
  return hub
}
