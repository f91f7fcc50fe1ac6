import type { SimRandom } from '../world/random.ts'
import type { Incarnation, SimDevice } from './device.ts'
import type { FaultCounts, FaultKind, MomentaryFault } from './faults.ts'
import { momentaryFaults } from './faults.ts'
import type { Fleet } from './fleet.ts'

/** Faults of the network: they are nobody's own. */
const global: ReadonlySet<FaultKind> = new Set(['partition', 'one-way-cut', 'reset', 'path-change'])

/** Does to a fleet what the world would do. */
export class Chaos {
  readonly kinds: ReadonlySet<FaultKind>
  readonly counts: FaultCounts = {}
  readonly #fleet: Fleet
  readonly #log: (what: string) => void
  readonly #random: SimRandom
  #over = false

  constructor(fleet: Fleet, kinds: ReadonlySet<FaultKind>, log: (what: string) => void) {
    this.#fleet = fleet
    this.#log = log
    this.kinds = kinds
    this.#random = fleet.world.random.stream('faults')
  }

  /** Sets the conditions of the run. */
  begin(): void {
    const random = this.#random
    const { network, devices } = this.#fleet
    const { weather } = network
    if (this.#ambient('loss')) weather.loss = random.between(0.001, 0.01)
    if (this.#ambient('half-open')) weather.halfOpenMs = random.between(1000, 20_000)
    if (this.#ambient('gossip-loss')) weather.announcementLoss = random.between(0.1, 0.9)
    if (this.#ambient('gossip-copies')) weather.announcementCopies = random.between(0.1, 0.5)
    if (this.#ambient('gossip-delay')) weather.announcementDelayMs = random.between(500, 5000)
    if (this.#ambient('slow-links')) this.#slowLinks()
    for (const { disk, options } of devices) {
      if (this.kinds.has('slow-disk') && random.chance(0.5)) {
        disk.weather.flushMs = random.between(20, 300)
        this.#count('slow-disk')
      }
      if (this.kinds.has('clock-skew') && random.chance(0.7)) {
        options.clock.jump(random.between(-3_600_000, 3_600_000))
        this.#count('clock-skew')
      }
    }
  }

  /** Makes copies of disks that a later fault may restore. */
  backUp(): void {
    if (!this.kinds.has('restore')) return
    const open = this.#fleet.open()
    if (open.length > 0) this.#fleet.copy(this.#random.pick(open).device)
  }

  /** Lets one fault happen; says whether one could. */
  strike(): boolean {
    const kinds = momentaryFaults.filter((kind) => this.kinds.has(kind))
    if (kinds.length === 0) return false
    const kind = this.#random.pick(kinds)
    this.#fleet.world.trace.add(`fault ${kind}`, this.#fleet.world.now)
    const open = this.#fleet.open()
    if (open.length === 0) return false
    const incarnation = this.#random.pick(open)
    if (!this.#happen(kind, incarnation)) return false
    this.#log(`fault: ${kind}${global.has(kind) ? '' : ` at ${incarnation.process.name}`}`)
    this.#count(kind)
    return true
  }

  /** Ends all faults for good. */
  end(): void {
    this.#over = true
    this.#fleet.heal()
  }

  #happen(kind: MomentaryFault, { device, process, backend }: Incarnation): boolean {
    const fleet = this.#fleet
    const random = this.#random
    switch (kind) {
      case 'crash':
        device.kill(false)
        return this.#restart(device)
      case 'power-cut':
        fleet.powerCut(device)
        return this.#restart(device)
      case 'restart':
        void device.stop().then(() => this.#restart(device))
        return true
      case 'restore': {
        const candidates = fleet.copies.get(device) ?? []
        if (candidates.length === 0) return false
        fleet.restore(device, random.pick(candidates))
        return this.#restart(device)
      }
      case 'clone':
        return fleet.clone(device, this.#someDevices())
      case 'partition':
        return this.#partition()
      case 'one-way-cut':
        return this.#cutFor([this.#somePair()])
      case 'reset':
        return fleet.network.reset(random)
      case 'path-change':
        return this.#changePath()
      case 'offline':
        return this.#offline({ device, process, backend })
      case 'pause':
        process.pause(fleet.world.now + random.between(200, 10_000))
        return true
      case 'clock-jump':
        device.options.clock.jump(random.pick([-1, 1]) * random.pick([1e3, 6e4, 3.6e6, 1e8]))
        return true
      case 'disk-errors':
        device.disk.weather.errors = random.between(0.05, 0.5)
        return this.#later(5000, () => (device.disk.weather.errors = 0))
      case 'disk-full':
        device.disk.weather.full = true
        return this.#later(5000, () => (device.disk.weather.full = false))
    }
  }

  #restart(device: SimDevice): true {
    this.#fleet.world.after(this.#random.between(10, 5000), () => this.#fleet.start(device))
    return true
  }

  #partition(): boolean {
    const shuffled = this.#random.shuffle(this.#fleet.devices)
    const size = 1 + this.#random.below(shuffled.length - 1)
    const [left, right] = [shuffled.slice(0, size), shuffled.slice(size)]
    const ways = left.flatMap(({ name: a }) =>
      right.flatMap(({ name: b }): [string, string][] => [
        [a, b],
        [b, a],
      ]),
    )
    return this.#cutFor(ways)
  }

  #cutFor(ways: readonly (readonly [string, string])[]): true {
    for (const [from, to] of ways) this.#fleet.network.cut(from, to)
    return this.#later(20_000, () => {
      for (const [from, to] of ways) this.#fleet.network.heal(from, to)
    })
  }

  #changePath(): boolean {
    const links = this.#fleet.network.links()
    if (links.length === 0) return false
    const { from, to } = this.#random.pick(links)
    return from.upgrade(to, this.#random.pick(['webrtc', 'relay', 'direct'] as const))
  }

  #offline({ device, backend }: Incarnation): true {
    backend.setOnline(false).catch(() => undefined)
    return this.#later(10_000, () => {
      if (device.incarnation?.backend !== backend) return
      backend.setOnline(true).catch(() => undefined)
    })
  }

  #slowLinks(): void {
    const { devices, network } = this.#fleet
    for (const { name: from } of devices) {
      for (const { name: to } of devices) {
        if (from === to || !this.#random.chance(0.4)) continue
        const latencyMs = this.#random.between(100, 1000)
        const rate = this.#random.between(2, 50)
        network.setWeather(from, to, { latencyMs, jitterMs: latencyMs, rate })
      }
    }
  }

  #somePair(): [string, string] {
    const [a, b] = this.#random.shuffle(this.#fleet.devices)
    return [a!.name, b!.name]
  }

  #someDevices(): string[] {
    return this.#random.shuffle(this.#fleet.devices.map(({ name }) => name)).slice(0, 2)
  }

  /** Undoes a fault after at most `longestMs`. */
  #later(longestMs: number, undo: () => void): true {
    this.#fleet.world.after(this.#random.between(0.05, 1) * longestMs, () => {
      if (!this.#over) undo()
    })
    return true
  }

  #ambient(kind: FaultKind): boolean {
    if (!this.kinds.has(kind)) return false
    this.#count(kind)
    return true
  }

  #count(kind: FaultKind): void {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1
  }
}
