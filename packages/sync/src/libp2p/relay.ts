import { reasonOf, type Random, type Scheduler, type Trace } from '@peerplane/core'
import type { PeerId, Transport } from '@libp2p/interface'

import { backoffMs } from './backoff.ts'

/** The part of the relay transport that keeps seats at relays. */
interface RelayTransport extends Transport {
  readonly reservationStore: {
    addRelay(relay: PeerId, type: 'configured'): Promise<unknown>
  }
}

/** The part of the relay service that manages the reservations of other peers. */
export interface RelaySeats {
  readonly reservations: {
    delete(peer: PeerId): void
  }
}

/** The options of the reservations. */
interface RelayOptions {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly trace?: Trace | undefined
}

const RETRY = { firstMs: 200, maxMs: 5_000 }

/**
 * Seats at relays, so that others can reach this peer through them.
 *
 * libp2p takes a place when told to listen at a relay, and does not take it again after the relay has been away. So a place is taken here
 * each time an anchor is connected.
 */
export class RelayReservations {
  readonly #transport: RelayTransport | undefined
  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #trace: Trace | undefined

  constructor(transports: readonly Transport[], { scheduler, random, trace }: RelayOptions) {
    this.#transport = transports.find(isRelayTransport)
    this.#scheduler = scheduler
    this.#random = random
    this.#trace = trace
  }

  /** Reserves a seat at `relay`, and tries again while `connected` returns true. */
  async take(relay: PeerId, connected: () => boolean, failures = 0): Promise<void> {
    const store = this.#transport?.reservationStore
    // A relay that is asked while it is not connected is remembered as useless.
    if (!store || !connected()) return
    try {
      await store.addRelay(relay, 'configured')
    } catch (error) {
      this.#trace?.('relay.refused', { peer: relay.toString(), reason: reasonOf(error) })
      const pause = backoffMs(RETRY, failures, this.#random)
      this.#scheduler.after(pause, () => void this.take(relay, connected, failures + 1))
    }
  }
}

const isRelayTransport = (transport: Transport): transport is RelayTransport =>
  'reservationStore' in transport
