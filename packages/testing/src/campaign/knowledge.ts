import type { DiskImage } from '../disk/image.ts'
import type { SimDevice } from '../fleet/device.ts'
import type { Marked } from './marked.ts'

/** One command on one entity, as it ran. */
export interface Execution {
  readonly mark: string
  readonly command: string
  readonly input: Marked
  /** Commands whose effects the handler found in the state of this entity. */
  readonly seen: ReadonlySet<string>
  /** The process that ran it. */
  readonly process: string
  /** Whether the wall clock of the device showed a later time, when this process first ran a command, than in all its earlier processes. */
  readonly clockWentOn: boolean
  /** Whether the entity was incomplete where the command ran. */
  readonly isIncomplete: boolean
}

/** What is known of one command, or of several that make one commit, from having issued it. */
export interface IssuedCommand {
  readonly mark: string
  /** The process that ran it. */
  process: string
  /** What was asked for, by entity key. */
  readonly issued: ReadonlyMap<string, { readonly command: string; readonly input: Marked }>
  /** By entity key. */
  readonly effects: Map<string, Execution>
  /** Commands visible in the process, on any entity, when this one ran: its causes. */
  context: ReadonlySet<string>
  durability: 'memory' | 'local' | 'synced'
  outcome: 'running' | 'acknowledged' | 'failed'
  /** Its effect was visible in its own process and was taken back. */
  takenBack: boolean
  /** It was refused and is visible anyway, after a restart or on a clone: the store had kept it. */
  isBack: boolean
  /** It was acknowledged and is asked for again: it must not run again. */
  isRepetition: boolean
}

/** An effect that a device showed without a cause that its author may have lost: a violation, unless the cause was lost. */
export interface Suspicion {
  readonly effect: string
  readonly cause: string
  readonly where: string
}

/** Acknowledged commands that a disk must still hold, by the level that was acknowledged. */
interface Promised {
  readonly synced: Set<string>
  readonly local: Set<string>
}

/**
 * What the workload knows about its commands and about what was promised to it. The oracles judge by this; nothing in it comes from
 * the product except that a command was acknowledged.
 */
export class Knowledge {
  readonly steps: Map<string, IssuedCommand> = new Map()
  readonly suspicions: Suspicion[] = []
  readonly #promised = new Map<SimDevice, Promised>()
  readonly #copies = new WeakMap<DiskImage, ReadonlySet<string>>()

  step(mark: string): IssuedCommand | undefined {
    return this.steps.get(mark)
  }

  /** The command was acknowledged by this device at the level that was asked for. */
  acknowledged(device: SimDevice, step: IssuedCommand): void {
    step.outcome = 'acknowledged'
    const promised = this.#of(device)
    if (step.durability === 'synced') promised.synced.add(step.mark)
    if (step.durability === 'local') promised.local.add(step.mark)
  }

  /** Whether a command that ran is not among those that are visible. */
  hasLost(visible: ReadonlySet<string>): boolean {
    return [...this.steps.values()].some(
      ({ mark, effects }) => effects.size > 0 && !visible.has(mark),
    )
  }

  powerCut(device: SimDevice): void {
    this.#of(device).local.clear()
  }

  copied(device: SimDevice, image: DiskImage): void {
    this.#copies.set(image, this.promised(device))
  }

  restored(device: SimDevice, image: DiskImage): void {
    this.#promised.set(device, { synced: new Set(this.#copies.get(image)), local: new Set() })
  }

  /** Commands that this device must show once it is open. */
  promised(device: SimDevice): ReadonlySet<string> {
    const { synced, local } = this.#of(device)
    return new Set([...synced, ...local])
  }

  #of(device: SimDevice): Promised {
    let promised = this.#promised.get(device)
    if (!promised) this.#promised.set(device, (promised = { synced: new Set(), local: new Set() }))
    return promised
  }
}
