import type { Crypto, Entity, Perturbation, SigningKey } from '@peerplane/core'
import type { openRuntime } from '@peerplane/runtime'

import { fairDisk } from '../disk/disk.ts'
import type { DiskImage } from '../disk/image.ts'
import { HostileMember } from '../hostile/member.ts'
import { SimNetwork } from '../network/network.ts'
import type { PlannedDevice, PlannedMember } from '../plan/plan.ts'
import type { Recorder } from '../record/recorder.ts'
import { SimClock } from '../world/clock.ts'
import { simulatedCrypto } from '../world/crypto.ts'
import type { SimProcess } from '../world/process.ts'
import type { SimWorld } from '../world/world.ts'
import { SimDevice, type DeviceEvents, type Incarnation } from './device.ts'
import { Perturber } from './perturber.ts'
import { spreadDevices } from './topology.ts'

/** What a fleet is made of. */
export interface FleetOptions {
  /** The first one founds the space. */
  readonly devices: readonly PlannedDevice[]
  /** Hostile members, which join last. */
  readonly members?: readonly PlannedMember[] | undefined
  /** Makes the declared entities of each process, so that handlers can tell processes apart. */
  readonly entities: (process: SimProcess) => readonly Entity[]
  /** Opens the runtime of the build that a device has now. Default: that of this build. */
  readonly open?: ((device: string) => typeof openRuntime) | undefined
  /** Default: {@link simulatedCrypto}. */
  readonly crypto?: Crypto | undefined
  /** Points at which the product sometimes takes a rare branch; default none. */
  readonly rareWays?: readonly Perturbation[] | undefined
  /** Observes the run. */
  readonly recorder?: Recorder | undefined
}

/** What an observer of the fleet is called with. */
export interface FleetEvents extends DeviceEvents {
  /** The device lost its power: what was durable only as `local` may be gone. */
  powerCut(device: SimDevice): void
  /** A copy of the disk was made that may be restored or cloned later. */
  copied(device: SimDevice, image: DiskImage): void
  /** The disk now holds what was copied then. A clone begins with it. */
  restored(device: SimDevice, image: DiskImage): void
}

/** The most devices a fleet grows to by cloning, beyond those it began with. */
const MAX_CLONES = 1

/** Whole devices over one simulated network: what a user of the product would call a space in operation. */
export class Fleet {
  readonly world: SimWorld
  readonly network: SimNetwork
  readonly devices: SimDevice[] = []
  members: readonly HostileMember[] = []
  readonly perturber: Perturber
  readonly #options: FleetOptions
  readonly #events: FleetEvents
  #invitation: string | undefined
  #failures: unknown[] = []

  constructor(world: SimWorld, options: FleetOptions, events: FleetEvents) {
    this.world = world
    this.network = new SimNetwork(world)
    this.perturber = new Perturber(world.random.stream('rare ways'), options.rareWays ?? [])
    this.#options = options
    this.network.recorder = options.recorder
    this.#events = {
      ...bind(events),
      failed: (device, error) => {
        this.#failures.push(error)
        events.failed(device, error)
        this.#restartSoon(device)
      },
    }
  }

  /** Founds a space on the first device and lets the others join. */
  async found(): Promise<void> {
    const { devices } = this.#options
    spreadDevices(
      this.network,
      this.world.random,
      devices.map(({ name }) => name),
    )
    for (const { name, dial, anchor } of devices) {
      this.#add(name, await this.#key(name), dial, new SimClock(this.world, 0, 1), anchor)
    }
    const founder = this.devices[0]!
    founder.start(undefined)
    await this.world.run(this.world.now + 60_000, () => founder.incarnation !== undefined)
    if (!founder.incarnation)
      throw new Error(`the space could not be founded: ${this.#lastFailure()}`)
    this.#invitation = await this.#awaited(founder.incarnation.backend.invite({}))
    const late = new Map(devices.flatMap(({ name, joinMs }) => (joinMs ? [[name, joinMs]] : [])))
    const early = this.devices.filter(({ name }) => !late.has(name))
    for (const device of early) device.start(this.#invitation)
    const allOpen = (): boolean => early.every(({ incarnation }) => incarnation)
    if (!(await this.world.run(this.world.now + 60_000, allOpen))) {
      throw new Error(`a device could not join: ${this.#lastFailure()}`)
    }
    for (const [name, joinMs] of late) {
      this.world.after(joinMs, () => this.start(this.device(name)!))
    }
    this.members = (this.#options.members ?? []).map(
      ({ name, dial }) =>
        new HostileMember({
          world: this.world,
          network: this.network,
          name,
          dial,
          crypto: this.#crypto(),
          invitation: this.#invitation!,
        }),
    )
    for (const member of this.members) await this.#awaited(member.start())
  }

  device(name: string): SimDevice | undefined {
    return this.devices.find((device) => device.name === name)
  }

  member(name: string): HostileMember | undefined {
    return this.members.find((member) => member.name === name)
  }

  /** Sessions of which hostile members have signed two versions. */
  get forks(): number {
    return this.members.reduce((sum, { forks }) => sum + forks, 0)
  }

  /** Devices whose runtime is open. */
  open(): Incarnation[] {
    return this.devices.flatMap(({ incarnation }) => incarnation ?? [])
  }

  start(device: SimDevice): void {
    device.start(device === this.devices[0] ? undefined : this.#invitation)
  }

  powerCut(device: SimDevice): void {
    device.kill(true)
    this.#events.powerCut(device)
  }

  /** A copy of the disk for later. */
  copy(device: SimDevice): DiskImage {
    const image = device.disk.copy()
    this.#events.copied(device, image)
    return image
  }

  /** Cuts the power and puts an older copy of the disk in its place. */
  restore(device: SimDevice, image: DiskImage): void {
    this.powerCut(device)
    device.disk.restore(image)
    this.#events.restored(device, image)
  }

  canClone(): boolean {
    return this.devices.length - this.#options.devices.length < MAX_CLONES
  }

  /** Starts a second device from a copy of the first one's disk, with its key. */
  clone(device: SimDevice, dial: readonly string[]): boolean {
    if (!this.canClone()) return false
    const image = this.copy(device)
    const clock = new SimClock(this.world, 0, 1)
    const name = `c${this.devices.length - this.#options.devices.length}`
    const clone = this.#add(name, device.options.key, dial, clock, false, image)
    this.#events.restored(clone, image)
    this.#options.recorder?.cloned({ name, dial, anchor: false }, device.name)
    this.start(clone)
    return true
  }

  /** Ends all faults and lets every device run. */
  heal(): void {
    const { network, devices } = this
    for (const member of this.members) member.stop()
    for (const from of devices) {
      for (const to of devices) network.heal(from.name, to.name)
      from.disk.weather = { ...fairDisk }
      from.options.clock.correct()
    }
    network.weather = {
      ...network.weather,
      loss: 0,
      announcementLoss: 0,
      announcementCopies: 0,
      announcementDelayMs: 50,
    }
    for (const device of devices) {
      if (!device.process) this.start(device)
      // Ignored: a process may end before it is done.
      device.incarnation?.backend.setOnline(true).catch(() => undefined)
    }
  }

  #restartSoon(device: SimDevice): void {
    this.world.after(500, () => this.start(device))
  }

  #key(name: string): Promise<SigningKey> {
    const seed = this.world.random.stream(`key of ${name}`).bytes(32)
    return this.#crypto().keyFromSeed(seed)
  }

  #crypto(): Crypto {
    return this.#options.crypto ?? simulatedCrypto
  }

  #add(
    name: string,
    key: SigningKey,
    dial: readonly string[],
    clock: SimClock,
    anchor: boolean,
    image?: DiskImage,
  ): SimDevice {
    const device = new SimDevice(
      {
        world: this.world,
        network: this.network,
        name,
        entities: this.#options.entities,
        open: this.#options.open,
        key,
        crypto: this.#crypto(),
        perturb: (process) => this.perturber.choices(process),
        clock,
        dial,
        anchor,
        image,
        recorder: this.#options.recorder,
      },
      this.#events,
    )
    this.devices.push(device)
    return device
  }

  /** The value of a promise that needs virtual time to settle. */
  async #awaited<T>(promise: Promise<T>): Promise<T> {
    let settled = false
    const mark = (): void => {
      settled = true
    }
    promise.then(mark, mark)
    await this.world.run(this.world.now + 60_000, () => settled)
    return promise
  }

  #lastFailure(): string {
    const error = this.#failures.at(-1)
    return error instanceof Error ? error.message : 'it did not open in a minute'
  }
}

const bind = (events: FleetEvents): FleetEvents => ({
  opened: (incarnation) => events.opened(incarnation),
  failed: (device, error) => events.failed(device, error),
  closed: (incarnation) => events.closed(incarnation),
  ended: (incarnation) => events.ended(incarnation),
  powerCut: (device) => events.powerCut(device),
  copied: (device, image) => events.copied(device, image),
  restored: (device, image) => events.restored(device, image),
})
