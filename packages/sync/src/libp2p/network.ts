import {
  type Network,
  type NetworkHandler,
  type NetworkStatus,
  type PeerHint,
} from '@peerplane/core'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'

import type { Libp2pNetworkOptions } from './assembly.ts'
import { startNode, type Node } from './node.ts'

const KEY_SEED_BYTES = 32

/** Makes a network over libp2p, with a new network id. The network does not listen for connections or dial peers before `start` is called. */
export async function createLibp2pNetwork(options: Libp2pNetworkOptions): Promise<Network> {
  const seed = options.random.bytes(KEY_SEED_BYTES)
  return new Libp2pNetwork(options, await generateKeyPairFromSeed('Ed25519', seed))
}

class Libp2pNetwork implements Network {
  readonly localPeer: string
  readonly #options: Libp2pNetworkOptions
  readonly #key: PrivateKey
  #node: Node | undefined
  /** Starts and stops run one after the other. */
  #last: Promise<void> = Promise.resolve()

  constructor(options: Libp2pNetworkOptions, key: PrivateKey) {
    this.#options = options
    this.#key = key
    this.localPeer = peerIdFromPrivateKey(key).toString()
  }

  async start(handler: NetworkHandler): Promise<void> {
    await this.#next(async () => {
      this.#node ??= await startNode(this.#options, this.#key, handler)
    })
  }

  async stop(): Promise<void> {
    await this.#next(async () => {
      await this.#node?.stop()
      this.#node = undefined
    })
  }

  announce(payload: Uint8Array): void {
    this.#node?.announce(payload)
  }

  introduce(via: string, peers: readonly PeerHint[]): void {
    this.#node?.introduce(via, peers)
  }

  addresses(): readonly string[] {
    return this.#node?.addresses() ?? []
  }

  status(): NetworkStatus {
    return {
      started: this.#node !== undefined,
      connections: this.#node?.connections() ?? [],
      lastError: this.#node?.lastError(),
      refused: this.#node?.refused() ?? {},
    }
  }

  async #next(step: () => Promise<void>): Promise<void> {
    const done = this.#last.then(step)
    // Ignored: the caller has it; the next start or stop runs anyway.
    this.#last = done.catch(() => {})
    await done
  }
}
