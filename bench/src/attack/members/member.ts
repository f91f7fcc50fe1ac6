import {
  admit,
  mac,
  readInvitation,
  TipTrie,
  toHex,
  type Admission,
  type DeviceId,
  type Link,
  type Network,
  type Random,
  type Replica,
  type SigningKey,
  type Space,
} from '@peerplane/core'
import { systemPlatform } from '@peerplane/runtime'
import { createSync } from '@peerplane/sync'
import { createLibp2pNetwork, type Components } from '@peerplane/sync/libp2p'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { tcp } from '@libp2p/tcp'

import type { Target, Tools } from '../attack.ts'

const platform = systemPlatform()

/** A device with a valid membership, whose holder means harm. */
export interface Member {
  readonly space: Space
  readonly key: SigningKey
  readonly device: DeviceId
  readonly chain: readonly Admission[]
}

/** Joins with the key that `random` decides. */
export async function join(invitation: string, random: Random): Promise<Member> {
  const { crypto } = platform
  const { space, grant, inviteSeed, chain } = await readInvitation(invitation, platform)
  const key = await crypto.keyFromSeed(random.bytes(32))
  const device = toHex(key.publicKey) as DeviceId
  const admission = await admit(grant, device, await crypto.keyFromSeed(inviteSeed))
  return { space, key, device, chain: [...chain, admission] }
}

/** What a hostile member hears. It may answer nothing at all. */
export interface Ears {
  connected?(link: Link): void
  frame?(link: Link, frame: Uint8Array): Promise<void>
  disconnected?(link: Link): void
}

/** A network of its own, with a new network id, that keeps dialling the daemon. */
export async function networkOf(
  { space }: Member,
  { host, tcpPort }: Target,
  { source }: Tools,
  inside: (components: Components) => void = () => {},
): Promise<Network> {
  return createLibp2pNetwork({
    anchor: false,
    topic: toHex(mac(space.secret, 'topic').slice(0, 16)),
    listen: [],
    announce: [],
    dial: [`/ip4/${host}/tcp/${tcpPort}`],
    transports: [
      (components) => {
        inside(components)
        return tcp({ dialOpts: { localAddress: source } as object })(components)
      },
      circuitRelayTransport(),
    ],
    webrtc: false,
    ...platform,
  })
}

/**
 * Goes through the handshakes as a member does and hands over its links as they are: no message of the protocol is sent over them. Counts
 * `links`.
 */
export async function linkUp(
  member: Member,
  network: Network,
  { count }: Tools,
  ears: Ears = {},
): Promise<void> {
  const bare: Network = {
    ...bindAll(network),
    start: (handler) =>
      network.start({
        authenticate: (channel) => handler.authenticate(channel),
        connected: (link) => {
          count('links')
          ears.connected?.(link)
        },
        frame: (link, frame) => ears.frame?.(link, frame) ?? Promise.resolve(),
        disconnected: (link) => {
          ears.disconnected?.(link)
        },
        announcement: () => true,
      }),
  }
  await createSync({
    ...platform,
    ...member,
    network: bare,
    replica: nothing,
    isKnown: () => true,
    remember: () => {},
  }).start()
}

const bindAll = (network: Network): Network => ({
  localPeer: network.localPeer,
  start: (handler) => network.start(handler),
  stop: () => network.stop(),
  announce: (payload) => network.announce(payload),
  introduce: (via, peers) => network.introduce(via, peers),
  addresses: () => network.addresses(),
  status: () => network.status(),
})

const nothing: Replica = {
  delivered: () => new Map(),
  stored: () => new Map(),
  tips: new TipTrie(),
  range: () => Promise.resolve(undefined),
  admitAll: (runs) =>
    Promise.allSettled(runs.map(async () => ({ stored: 0, released: 0, awaits: [], full: false }))),
  watch: () => () => {},
}
