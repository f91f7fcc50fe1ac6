import type { Crypto, Entity, Perturb, SigningKey } from '@peerplane/core'
import { openRuntime, type Backend } from '@peerplane/runtime'

import { SimDisk } from '../disk/disk.ts'
import type { DiskImage } from '../disk/image.ts'
import type { SimNetwork } from '../network/network.ts'
import { SimNode } from '../network/node.ts'
import type { Recorder } from '../record/recorder.ts'
import type { SimClock } from '../world/clock.ts'
import { SimProcess } from '../world/process.ts'
import type { SimWorld } from '../world/world.ts'

/** What a device is made of. */
export interface DeviceOptions {
  readonly world: SimWorld
  readonly network: SimNetwork
  readonly name: string
  readonly entities: (process: SimProcess) => readonly Entity[]
  /** Opens the runtime of the build that the device has now. Default: that of this build. */
  readonly open?: ((name: string) => typeof openRuntime) | undefined
  readonly key: SigningKey
  readonly crypto: Crypto
  /** Choices for one process. */
  readonly perturb: (process: string) => Perturb
  readonly clock: SimClock
  /** Devices it stays connected to. */
  readonly dial: readonly string[]
  readonly anchor: boolean
  readonly image?: DiskImage | undefined
  readonly recorder?: Recorder | undefined
}

/** One run of the runtime on a device, from its opening to its end. */
export interface Incarnation {
  readonly device: SimDevice
  readonly process: SimProcess
  readonly backend: Backend
}

/** What a fleet wants to know of its devices. */
export interface DeviceEvents {
  opened(incarnation: Incarnation): void
  /** An opening failed; it may be tried again. */
  failed(device: SimDevice, error: unknown): void
  /** The runtime was closed cleanly; its process is about to end. */
  closed(incarnation: Incarnation): void
  /** The process has ended, cleanly or not. */
  ended(incarnation: Incarnation): void
}

/** A device of the fleet: a disk that lasts, a clock, a key, and at most one process at a time. */
export class SimDevice {
  readonly name: string
  readonly options: DeviceOptions
  readonly disk: SimDisk
  readonly #events: DeviceEvents
  #process: SimProcess | undefined
  #node: SimNode | undefined
  #incarnation: Incarnation | undefined
  #starts = 0

  constructor(options: DeviceOptions, events: DeviceEvents) {
    this.name = options.name
    this.options = options
    this.disk = new SimDisk(options.world, options.name, options.image)
    this.#events = events
  }

  /** The open runtime, if there is one. */
  get incarnation(): Incarnation | undefined {
    return this.#incarnation
  }

  get process(): SimProcess | undefined {
    return this.#process
  }

  /** Starts a process that opens the store. `invitation` is passed on; a device that is a member already does not need it. */
  start(invitation: string | undefined): void {
    if (this.#process) return
    const { world, network, name, key, crypto, clock, dial, anchor, recorder } = this.options
    const process = new SimProcess(`${name}.${++this.#starts}`, world, clock)
    this.#process = process
    const nameOf = (peer: string): string => network.nodes.get(peer)?.process.name ?? peer
    const trace = recorder?.listenTo(process.name, nameOf)
    const ports = {
      store: this.disk.open(process, trace),
      trace,
      key,
      crypto,
      clock,
      random: world.random.stream(`process ${process.name}`),
      perturb: this.options.perturb(process.name),
      scheduler: process.scheduler,
      network: () => {
        this.#node = new SimNode(network, process, name, dial)
        return Promise.resolve(this.#node)
      },
    }
    const entities = this.options.entities(process)
    const open = this.options.open?.(name) ?? openRuntime
    open(ports, { entities, anchor, join: invitation }).then(
      (backend) => {
        if (this.#process !== process) return
        this.#incarnation = { device: this, process, backend }
        recorder?.opened(process.name, name)
        this.#events.opened(this.#incarnation)
      },
      (error: unknown) => {
        if (this.#process !== process) return
        this.kill(false)
        this.#events.failed(this, error)
      },
    )
  }

  /** Ends the process at once; with `power`, what the disk had not flushed may be gone. */
  kill(power: boolean): void {
    const process = this.#process
    if (!process) return
    process.kill()
    this.disk.crash(power)
    this.#end()
  }

  /** Closes the runtime cleanly; resolves when the process has ended. */
  async stop(): Promise<void> {
    const incarnation = this.#incarnation
    if (!incarnation) return
    // Ignored: a disk that fails while closing ends the process anyway.
    await incarnation.backend.close().catch(() => undefined)
    if (this.#incarnation !== incarnation) return
    this.#events.closed(incarnation)
    incarnation.process.kill()
    this.disk.crash(false)
    this.#end()
  }

  #end(): void {
    const incarnation = this.#incarnation
    if (this.#node) this.options.network.leave(this.#node)
    this.#process = undefined
    this.#node = undefined
    this.#incarnation = undefined
    if (!incarnation) return
    this.options.recorder?.ended(incarnation.process.name)
    this.#events.ended(incarnation)
  }
}
