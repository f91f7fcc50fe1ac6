import { act } from '../hostile/harms.ts'
import type { Condition, CutFault, Fault } from '../plan/plan.ts'
import type { SimDevice } from './device.ts'
import type { DiskImage } from '../disk/image.ts'
import type { FaultCounts } from './fault-kinds.ts'
import type { Fleet } from './fleet.ts'

/** Told when a fault begins, with how long it lasts if that is known, and when it ends. */
export type FaultObserver = (fault: Fault, phase: 'begins' | 'ends') => void

/** Does to a fleet what the world would do. */
export class Chaos {
  readonly counts: FaultCounts = {}
  readonly #fleet: Fleet
  readonly #observe: FaultObserver
  readonly #copies = new Map<number, DiskImage>()
  #over = false

  constructor(fleet: Fleet, observe: FaultObserver = () => undefined) {
    this.#fleet = fleet
    this.#observe = observe
  }

  /** Sets the conditions of the run. Those on devices that are not there do nothing. */
  begin(conditions: readonly Condition[]): void {
    for (const condition of conditions) this.#apply(condition)
    for (const kind of new Set(conditions.map((condition) => condition.kind))) this.#count(kind)
  }

  /** Makes a copy of a disk under a number by which a fault may name it; says whether it could. */
  copy(id: number, name: string): boolean {
    const device = this.#fleet.device(name)
    if (!device?.incarnation) return false
    this.#copies.set(id, this.#fleet.copy(device))
    return true
  }

  /** Lets a fault happen, if it can happen now; says whether it did. */
  strike(fault: Fault): boolean {
    if (!this.#happen(fault)) return false
    this.#fleet.world.digest.add(`fault ${fault.kind}`, this.#fleet.world.now)
    this.#observe(fault, 'begins')
    this.#count(fault.kind)
    return true
  }

  /** Ends all faults for good. */
  stop(): void {
    this.#over = true
    this.#fleet.heal()
  }

  #apply(condition: Condition): void {
    const { network } = this.#fleet
    const { weather } = network
    switch (condition.kind) {
      case 'loss':
        weather.loss = condition.value
        break
      case 'half-open':
        weather.halfOpenMs = condition.value
        break
      case 'gossip-loss':
        weather.announcementLoss = condition.value
        break
      case 'gossip-copies':
        weather.announcementCopies = condition.value
        break
      case 'gossip-delay':
        weather.announcementDelayMs = condition.value
        break
      case 'slow-links': {
        const { from, to, latencyMs, rate } = condition
        network.setWeather(from, to, { latencyMs, jitterMs: latencyMs, rate })
        break
      }
      case 'slow-disk': {
        const device = this.#fleet.device(condition.device)
        const { flushMs, readMs } = condition
        if (device) device.disk.weather = { ...device.disk.weather, flushMs, readMs }
        break
      }
      case 'clock-skew':
        this.#fleet.device(condition.device)?.options.clock.jump(condition.byMs)
    }
  }

  #happen(fault: Fault): boolean {
    const fleet = this.#fleet
    if ('ways' in fault) return this.#cut(fault)
    if ('member' in fault) {
      const member = fleet.member(fault.member)
      return member !== undefined && act(member, fault)
    }
    if (fault.kind === 'reset') return fleet.network.reset(...fault.between)
    if (fault.kind === 'path-change') {
      const [from, to] = fault.between
      const link = fleet.network
        .links()
        .find((each) => each.from.device === from && each.to.device === to)
      return link?.from.upgrade(link.to, fault.path) ?? false
    }
    const device = fleet.device(fault.device)
    const incarnation = device?.incarnation
    if (!device || !incarnation) return false
    const { weather } = device.disk
    switch (fault.kind) {
      case 'crash':
        device.kill(false)
        return this.#restart(device, fault)
      case 'power-cut':
        fleet.powerCut(device)
        return this.#restart(device, fault)
      case 'restart':
        void device.stop().then(() => this.#restart(device, fault))
        return true
      case 'restore': {
        const image = this.#copies.get(fault.copy)
        if (!image) return false
        fleet.restore(device, image)
        return this.#restart(device, fault)
      }
      case 'clone':
        return fleet.clone(device, fault.dial)
      case 'offline': {
        const { backend } = incarnation
        // Ignored: a process may end before it is done.
        backend.setOnline(false).catch(() => undefined)
        return this.#later(fault, fault.lastsMs, () => {
          if (device.incarnation?.backend !== backend) return
          // Ignored: as above.
          backend.setOnline(true).catch(() => undefined)
        })
      }
      case 'pause':
        incarnation.process.pause(fleet.world.now + fault.lastsMs)
        return true
      case 'clock-jump':
        device.options.clock.jump(fault.byMs)
        return true
      case 'disk-errors':
        weather.errors = fault.probability
        return this.#later(fault, fault.lastsMs, () => (device.disk.weather.errors = 0))
      case 'disk-full':
        weather.full = true
        return this.#later(fault, fault.lastsMs, () => (device.disk.weather.full = false))
    }
  }

  #restart(device: SimDevice, { downMs }: { readonly downMs: number }): true {
    this.#fleet.world.after(downMs, () => this.#fleet.start(device))
    return true
  }

  #cut(fault: CutFault): true {
    const { network } = this.#fleet
    for (const [from, to] of fault.ways) network.cut(from, to)
    return this.#later(fault, fault.lastsMs, () => {
      for (const [from, to] of fault.ways) network.heal(from, to)
    })
  }

  #later(fault: Fault, lastsMs: number, undo: () => void): true {
    this.#fleet.world.after(lastsMs, () => {
      if (this.#over) return
      undo()
      this.#observe(fault, 'ends')
    })
    return true
  }

  #count(kind: keyof FaultCounts): void {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1
  }
}
