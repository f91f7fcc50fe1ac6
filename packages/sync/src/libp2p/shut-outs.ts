import { limits, type DeviceId } from '@peerplane/core'

import { Rates } from '../bounds/rate.ts'

interface ShutOut {
  readonly times: number
  readonly until: number
}

/** After this time without a violation, earlier ones no longer count. */
const FORGIVE_MS = 3_600_000

/** Devices that broke a rule, and may not come back for a while: longer each time. */
export class ShutOuts {
  readonly #now: () => number
  readonly #devices = new Map<DeviceId, ShutOut>()
  readonly #arrivals: Rates

  /** `now` gives milliseconds that never go back. */
  constructor(now: () => number) {
    this.#now = now
    const burst = limits.deviceArrivals
    this.#arrivals = new Rates({ perSecond: burst / 60, burst, now }, limits.shutOutMemory)
  }

  /** Whether a device that comes now is let in. */
  mayEnter(device: DeviceId): boolean {
    if (this.isOut(device)) return false
    if (this.#arrivals.take(device)) return true
    this.offend(device)
    return false
  }

  isOut(device: DeviceId): boolean {
    const found = this.#devices.get(device)
    if (found && this.#now() > found.until + FORGIVE_MS) this.#devices.delete(device)
    return found !== undefined && this.#now() < found.until
  }

  /** A device has broken a rule: it is shut out from now on. Returns for how many milliseconds. */
  offend(device: DeviceId): number {
    const times = this.#devices.get(device)?.times ?? 0
    const pause = Math.min(limits.shutOutMostMs, limits.shutOutFirstMs * 2 ** times)
    this.#devices.delete(device)
    this.#devices.set(device, { times: times + 1, until: this.#now() + pause })
    if (this.#devices.size > limits.shutOutMemory) {
      const [oldest] = this.#devices.keys()
      if (oldest !== undefined) this.#devices.delete(oldest)
    }
    return pause
  }
}
