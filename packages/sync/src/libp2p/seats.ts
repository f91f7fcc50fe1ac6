import { limits, type DeviceId, type Refusal } from '@peerplane/core'

import { addressGroup } from '../bounds/address-seats.ts'

/** A connection of a member. */
export interface Seat {
  readonly device: DeviceId
  /** Where it comes from; `undefined` when that says nothing: a proxy, a relay, WebRTC. */
  readonly address: string | undefined
}

/** Who has to go, and why. */
export interface Eviction<Held> {
  readonly held: Held
  readonly why: Refusal
}

/**
 * The connections of members, of which there are at most `total`. Of one device the oldest gives way to the newest: after a restart the oldest
 * is dead. When all seats are taken, the newest one of the device with most gives way; if each device has only one, the newcomer is refused.
 */
export class Seats<Held> {
  readonly #total: number
  /** The oldest first. */
  readonly #seats = new Map<Held, Seat>()

  constructor(total: number = limits.connections) {
    this.#total = total
  }

  /** Takes a seat, and names who has to give one up for that: nobody, or one, who may be the newcomer. */
  sit(held: Held, seat: Seat): Eviction<Held> | undefined {
    this.#seats.set(held, seat)
    const ofDevice = this.#all(({ device }) => device === seat.device)
    if (ofDevice.length > limits.linksPerDevice) return this.#evict(ofDevice[0]!, 'device')
    const group = seat.address === undefined ? undefined : addressGroup(seat.address)
    const ofAddress = this.#all(
      ({ address }) => address !== undefined && addressGroup(address) === group,
    )
    if (ofAddress.length > Math.min(limits.linksPerAddress, this.#total)) {
      return this.#evict(this.#dispensable(ofAddress), 'address')
    }
    const all = [...this.#seats.keys()]
    return all.length > this.#total ? this.#evict(this.#dispensable(all), 'no-room') : undefined
  }

  leave(held: Held): void {
    this.#seats.delete(held)
  }

  #all(matches: (seat: Seat) => boolean): Held[] {
    return [...this.#seats].filter(([, seat]) => matches(seat)).map(([held]) => held)
  }

  /** The newest of the device that has most of these. */
  #dispensable(held: readonly Held[]): Held {
    const counts = new Map<DeviceId, number>()
    for (const each of held) {
      const { device } = this.#seats.get(each)!
      counts.set(device, (counts.get(device) ?? 0) + 1)
    }
    const most = Math.max(...counts.values())
    return held.findLast((each) => counts.get(this.#seats.get(each)!.device) === most)!
  }

  #evict(held: Held, why: Refusal): Eviction<Held> {
    this.#seats.delete(held)
    return { held, why }
  }
}
