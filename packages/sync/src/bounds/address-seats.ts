import type { Random, Refusal } from '@peerplane/core'

/** The maximum number of connections in total and per address. */
export interface AddressLimits {
  readonly total: number
  readonly perAddress: number
  /** The addresses of proxies, each of which carries the connections of many clients. Only the limit for the total applies to proxies. */
  readonly proxies: readonly string[]
  /** Chooses the connection that has to go among the older half of its address. Default: the oldest one goes. */
  readonly random?: Random
}

/** A connection that has a seat. */
export interface Guest {
  /** Closes the connection of the guest, because its seat is needed. */
  readonly dismiss: (why: Refusal) => void
}

interface Taken extends Guest {
  readonly group: string
}

/**
 * Seats for connections. A connection takes a seat from its first moment. Seats are counted by the address of the connection. If all seats are taken,
 * the address with the most connections loses one of them. An address that opens very many connections loses seats to other addresses.
 */
export class AddressSeats {
  readonly #limits: AddressLimits
  readonly #proxies: ReadonlySet<string>
  /** The oldest first. */
  readonly #guests = new Set<Taken>()
  readonly #sizes = new Map<string, number>()

  constructor(limits: AddressLimits) {
    this.#limits = limits
    this.#proxies = new Set(limits.proxies.map(addressGroup))
  }

  get taken(): number {
    return this.#guests.size
  }

  /** Takes a seat. If no seat is free, another guest loses its seat. The returned function gives the seat back. */
  take(address: string, guest: Guest): () => void {
    const group = addressGroup(address)
    if (!this.#proxies.has(group) && this.#size(group) >= this.#limits.perAddress) {
      this.#dismiss(group, 'address')
    } else if (this.#guests.size >= this.#limits.total) {
      this.#dismiss(this.#greediest(), 'no-room')
    }
    const taken = { ...guest, group }
    this.#guests.add(taken)
    this.#sizes.set(group, this.#size(group) + 1)
    return () => this.#leave(taken)
  }

  /**
   * In a small flood, a slow connection keeps its seat, because it is in the younger half. In a large flood, a slow connection keeps its seat by
   * chance.
   */
  #dismiss(group: string, why: Refusal): void {
    const { random } = this.#limits
    const all = [...this.#guests].filter((guest) => guest.group === group)
    const half = Math.ceil(all.length / 2)
    const guest = all[random ? random.bytes(1)[0]! % half : 0]
    if (!guest) return
    this.#leave(guest)
    guest.dismiss(why)
  }

  #leave(guest: Taken): void {
    if (!this.#guests.delete(guest)) return
    const left = this.#size(guest.group) - 1
    if (left > 0) this.#sizes.set(guest.group, left)
    else this.#sizes.delete(guest.group)
  }

  #greediest(): string {
    let most = ''
    for (const [group, size] of this.#sizes) if (size > this.#size(most)) most = group
    return most
  }

  #size(group: string): number {
    return this.#sizes.get(group) ?? 0
  }
}

/** Returns the group in which an address is counted: an IPv4 address, or the 64-bit IPv6 network of one customer. */
export function addressGroup(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped?.[1]) return mapped[1]
  if (!address.includes(':')) return address
  const [left = '', right] = (address.split('%', 1)[0] ?? '').toLowerCase().split('::')
  const head = left === '' ? [] : left.split(':')
  const tail = right === undefined || right === '' ? [] : right.split(':')
  const zeros = Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => '0')
  const network = right === undefined ? head : [...head, ...zeros, ...tail]
  return `${network
    .slice(0, 4)
    .map((part) => Number.parseInt(part, 16).toString(16))
    .join(':')}::/64`
}
