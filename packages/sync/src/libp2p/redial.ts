import type { Random, Scheduler } from '@peerplane/core'
import type { Connection } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'

import { backoffMs } from './backoff.ts'

/** Short enough to be back within three seconds of a restart. */
const RETRY = { firstMs: 100, maxMs: 2_000 }

/** After this many failures in a row (five minutes) a peer is hardly just restarting. */
const MANY_FAILURES = 200
const SLOW_RETRY = { firstMs: 30_000, maxMs: 30_000 }

/** A new connection gets this long to become a link. */
const SETTLE_MS = 2_000

/** What redialling works with. */
export interface RedialOptions {
  readonly addresses: readonly Multiaddr[]
  readonly dial: (address: Multiaddr) => Promise<Connection>
  /** Whether there is a link to the peer that no relay is needed for. */
  readonly linked: (peer: string) => boolean
  readonly failed: (error: unknown, address: Multiaddr) => void
  readonly scheduler: Scheduler
  readonly random: Random
}

interface Target {
  readonly address: Multiaddr
  /** Who was found there last; it changes when the peer restarts. */
  peer: string | undefined
  failures: number
  dialing: boolean
  cancel: () => void
}

/** Keeps a link to whoever is at each configured address. */
export class Redial {
  readonly #options: RedialOptions
  readonly #targets: Target[]
  #stopped = false

  constructor(options: RedialOptions) {
    this.#options = options
    this.#targets = options.addresses.map((address) => ({
      address,
      peer: undefined,
      failures: 0,
      dialing: false,
      cancel: () => {},
    }))
  }

  start(): void {
    for (const target of this.#targets) void this.#attempt(target)
  }

  stop(): void {
    this.#stopped = true
    for (const target of this.#targets) target.cancel()
  }

  /** The link to a peer is gone. */
  lost(peer: string): void {
    for (const target of this.#targets.filter((candidate) => candidate.peer === peer)) {
      target.failures = 0
      this.#later(target, backoffMs(RETRY, 0, this.#options.random))
    }
  }

  async #attempt(target: Target): Promise<void> {
    const linked = target.peer !== undefined && this.#options.linked(target.peer)
    if (this.#stopped || target.dialing || linked) return
    target.dialing = true
    try {
      const connection = await this.#options.dial(target.address)
      target.peer = connection.remotePeer.toString()
      target.failures = 0
      this.#later(target, SETTLE_MS)
    } catch (error) {
      if (!this.#stopped) this.#options.failed(error, target.address)
      target.failures += 1
      const retry = target.failures > MANY_FAILURES ? SLOW_RETRY : RETRY
      this.#later(target, backoffMs(retry, target.failures - 1, this.#options.random))
    } finally {
      target.dialing = false
    }
  }

  #later(target: Target, delayMs: number): void {
    target.cancel()
    if (this.#stopped) return
    target.cancel = this.#options.scheduler.after(delayMs, () => void this.#attempt(target))
  }
}
