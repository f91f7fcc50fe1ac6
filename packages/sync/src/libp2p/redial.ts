import { PeerplaneError, type Random, type Scheduler } from '@peerplane/core'
import type { Connection } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'

import { backoffMs, needsUpdate, UPDATE_RETRY, type Backoff } from './backoff.ts'

/** Short enough to be back within three seconds of a restart. */
const RETRY = { firstMs: 100, maxMs: 2_000 }

/** After this many failures in a row (five minutes) a peer is hardly just restarting. */
const MANY_FAILURES = 200
const SLOW_RETRY = { firstMs: 30_000, maxMs: 30_000 }

/** Somebody answers and does not let this device in, or soon cuts it off: it comes back later each time. */
const REFUSED_RETRY: Backoff = { firstMs: 250, maxMs: 15_000 }

/** A link that has lasted so long was wanted. */
const WANTED_MS = 10_000

/** A new connection gets this long to become a link. */
const SETTLE_MS = 2_000

/** What redialling works with. */
export interface RedialOptions {
  readonly addresses: readonly Multiaddr[]
  readonly dial: (address: Multiaddr) => Promise<Connection>
  /** Whether there is a link to the peer that no relay is needed for. */
  readonly linked: (peer: string) => boolean
  /** `failures` in a row came before this one. */
  readonly failed: (error: unknown, address: Multiaddr, failures: number) => void
  /** Milliseconds that never go back. */
  readonly now: () => number
  readonly scheduler: Scheduler
  readonly random: Random
}

interface Target {
  readonly address: Multiaddr
  /** Who was found there last; it changes when the peer restarts. */
  peer: string | undefined
  failures: number
  /** How often in a row somebody was there, and did not keep the connection. */
  refusals: number
  connectedAt: number
  dialing: boolean
  cancel: () => void
}

/** Keeps a link to the peer at each configured address. */
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
      refusals: 0,
      connectedAt: 0,
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
      if (this.#options.now() - target.connectedAt > WANTED_MS) target.refusals = 0
      this.#again(target)
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
      target.connectedAt = this.#options.now()
      this.#later(target, SETTLE_MS)
    } catch (error) {
      if (!this.#stopped) this.#options.failed(error, target.address, target.failures)
      target.failures += 1
      if (needsUpdate(error)) this.#again(target, UPDATE_RETRY)
      else if (isRefusal(error)) this.#again(target)
      else {
        const retry = target.failures > MANY_FAILURES ? SLOW_RETRY : RETRY
        this.#later(target, backoffMs(retry, target.failures - 1, this.#options.random))
      }
    } finally {
      target.dialing = false
    }
  }

  /** After somebody who was there has gone. */
  #again(target: Target, retry: Backoff = REFUSED_RETRY): void {
    this.#later(target, backoffMs(retry, target.refusals, this.#options.random))
    target.refusals += 1
  }

  #later(target: Target, delayMs: number): void {
    target.cancel()
    if (this.#stopped) return
    target.cancel = this.#options.scheduler.after(delayMs, () => void this.#attempt(target))
  }
}

/** Whether somebody was there: the connection failed while it was being set up. */
const isRefusal = (error: unknown): boolean =>
  error instanceof PeerplaneError ||
  (error instanceof Error && /^(EncryptionFailed|MuxerUnavailable)/.test(error.name))
