import {
  mac,
  TipTrie,
  toHex,
  type Network,
  type NetworkHandler,
  type Replica,
  type Trace,
} from '@peerplane/core'
import { createSync } from '@peerplane/sync'

import type { TestDevice } from './device.ts'
import type { Tester } from './tester.ts'
import { createNodeNetwork } from '../libp2p.ts'

/** How the product proves membership, which the checks rely on. */
export type Authenticate = NetworkHandler['authenticate']

/** A network with a new network id that dials the peer. */
export function networkTo(
  { invitation, address, clock, scheduler, random }: Tester,
  trace: Trace,
): Promise<Network> {
  const topic = toHex(mac(invitation.space.secret, 'topic').slice(0, 16))
  return createNodeNetwork({
    anchor: false,
    topic,
    listen: [],
    dial: [address],
    clock,
    scheduler,
    random,
    trace,
  })
}

/** The handshake of the product for a device, which knows every other one. */
export async function authenticator(tester: Tester, device: TestDevice): Promise<Authenticate> {
  const { clock, scheduler, random, crypto } = tester
  const { space } = tester.invitation
  let handler: NetworkHandler | undefined
  const network: Network = {
    localPeer: '',
    start: async (given) => {
      handler = given
    },
    stop: async () => undefined,
    announce: () => undefined,
    introduce: () => undefined,
    addresses: () => [],
    status: () => ({ started: true, connections: [], lastError: undefined, refused: {} }),
  }
  const { key, chain } = device
  const self = { space, key, chain, isKnown: () => true, remember: () => undefined }
  const sync = createSync({ network, replica: nothing, clock, scheduler, random, crypto, ...self })
  await sync.start()
  // It has nothing to exchange, and proves membership as before.
  await sync.stop()
  return (channel) => handler!.authenticate(channel)
}

const nothing: Replica = {
  delivered: () => new Map(),
  stored: () => new Map(),
  tips: new TipTrie(),
  range: () => Promise.resolve(undefined),
  admitAll: () => Promise.resolve([]),
  watch: () => () => undefined,
}
