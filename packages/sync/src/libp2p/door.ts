import { limits, type Random, type Refusal, type Scheduler } from '@peerplane/core'
import type { MultiaddrConnection } from '@libp2p/interface'

import { addressGroup, AddressSeats } from '../bounds/address-seats.ts'
import { Rates } from '../bounds/rate.ts'
import type { Refusals } from './refusals.ts'

/** Options for a door. */
export interface DoorOptions {
  /** The addresses of proxies. Limits per address do not apply to proxies, because each proxy carries the connections of many clients. */
  readonly proxies: readonly string[]
  /** The maximum number of simultaneous connections without proof of membership. Default: `limits.pendingConnections`. */
  readonly seats?: number
  readonly scheduler: Scheduler
  readonly random: Random
  /** Milliseconds that never go back. */
  readonly now: () => number
  readonly refused: Refusals
}

/**
 * A peer that has connected but has not proved membership yet. The peer stops being an arrival when it proves membership, or when its socket is
 * closed.
 */
export interface Arrival {
  /**
   * Called when the peer has proved that it knows the secret of the space. A recognized peer competes for a seat only with other recognized peers.
   */
  readonly recognized: () => void
  /** Frees the seat of the peer. If a reason is given, the peer is counted as refused. Only the first call of `over` has an effect. */
  readonly over: (why?: Refusal) => void
}

/**
 * Counts all peers that have not proved membership yet, over all transports and from their first byte on. A door closes connections whose peers take
 * too long to prove membership.
 */
export class Door {
  readonly #options: DoorOptions
  readonly #strangers: AddressSeats
  readonly #recognized: AddressSeats
  readonly #rates: Rates
  readonly #arrivals = new WeakMap<object, Arrival>()

  constructor(options: DoorOptions) {
    const { proxies, seats = limits.pendingConnections, now, random } = options
    this.#options = options
    const room = { total: seats, perAddress: seats, proxies: [...proxies, RELAYED], random }
    this.#strangers = new AddressSeats(room)
    this.#recognized = new AddressSeats(room)
    const perSecond = limits.connectionsPerSecond
    this.#rates = new Rates({ perSecond, burst: perSecond, now }, limits.shutOutMemory)
  }

  /**
   * Call `arrive` when a socket from `address` was accepted. Returns `undefined` if the socket must be closed immediately. The function `dismiss`
   * closes the socket; it is never called after `over`.
   */
  arrive(address: string, dismiss: () => void): Arrival | undefined {
    const { proxies, scheduler, refused } = this.#options
    if (isCounted(address, proxies) && !this.#rates.take(addressGroup(address))) {
      refused.add('address')
      return undefined
    }
    let isOver = false
    const over = (why?: Refusal): void => {
      if (isOver) return
      isOver = true
      cancel()
      leave()
      if (why) refused.add(why)
    }
    const end = (why: Refusal): void => {
      over(why)
      dismiss()
    }
    const recognized = (): void => {
      if (isOver) return
      leave()
      leave = this.#recognized.take(address, { dismiss: end })
    }
    let leave = this.#strangers.take(address, { dismiss: end })
    const cancel = scheduler.after(limits.handshakeMs, () => end('silent'))
    return { recognized, over }
  }

  /**
   * Finds the arrival to which a connection belongs. A connection without a socket of this process arrives now. Returns false if the connection must
   * be closed.
   */
  enter(connection: MultiaddrConnection): boolean {
    if (this.#arrivals.has(connection)) return true
    const address = addressOf(connection)
    // It was arranged over an admitted connection.
    if (address === undefined) return true
    const arrival = this.arrive(address, () => connection.abort(new Error('not let in')))
    if (!arrival) return false
    this.belongs(connection, arrival)
    return true
  }

  /** Assigns a connection to an arrival. When the connection closes, the arrival is over. */
  belongs(connection: MultiaddrConnection, arrival: Arrival): void {
    this.#arrivals.set(connection, arrival)
    connection.addEventListener('close', () => arrival.over())
  }

  /** Call `recognized` when the peer of a connection has proved that it knows the secret of the space. */
  recognized(connection: object): void {
    this.#arrivals.get(connection)?.recognized()
  }

  /** Call `decided` when the peer of a connection has proved membership, or, with a reason, when the peer is refused. */
  decided(connection: object, why?: Refusal): void {
    this.#arrivals.get(connection)?.over(why)
  }
}

/** Stands for all peers that connect through a relay. These peers are members, and all have the address of the relay. */
const RELAYED = 'relayed'

/** Whether a limit per address can apply to an address. */
export const isCounted = (address: string, proxies: readonly string[]): boolean =>
  address !== RELAYED && !proxies.includes(addressGroup(address))

/** Returns the address from which a connection comes, or `undefined` if no socket was opened for the connection. */
export function addressOf({
  remoteAddr,
}: Pick<MultiaddrConnection, 'remoteAddr'>): string | undefined {
  const parts = remoteAddr.getComponents()
  if (parts.some(({ name }) => name === 'webrtc')) return undefined
  if (parts.some(({ name }) => name === 'p2p-circuit')) return RELAYED
  const [host] = parts
  return host?.name === 'ip4' || host?.name === 'ip6' ? host.value : undefined
}
