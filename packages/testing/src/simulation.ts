import type { Entity } from '@peerplane/core'
import type { Plane } from '@peerplane/runtime'

import type { FaultKind } from './fleet/fault-kinds.ts'
import type { SimRandom } from './world/random.ts'

/** One device, as a workload or an invariant sees it. */
export interface SimulatedDevice {
  readonly name: string
  readonly plane: Plane
  /** Randomness of the seed: every choice of an action must come from here. */
  readonly random: SimRandom
}

/**
 * One thing that people do with the application: a command, or a few. A rejection ends the action, not the run: devices crash in the middle
 * of commands. Its result is kept as {@link Performed.result}.
 */
export type Action = (device: SimulatedDevice) => Promise<unknown>

/** The outcome of one action. */
export interface Performed {
  /** Its name in the workload. */
  readonly action: string
  readonly device: string
  /**
   * `acknowledged`: it resolved. `refused`: a handler rejected. `unknown`: it failed in another way, or its device went down before the
   * answer; its effects may exist or not.
   */
  readonly outcome: 'acknowledged' | 'refused' | 'unknown'
  /** What it resolved with. */
  readonly result: unknown
}

/**
 * A rule about the end of a run, when all faults are over and all devices are equal. It is called for every device, with all actions on all
 * devices, in order. Throws, or rejects, when it is broken.
 */
export type Invariant = (
  device: SimulatedDevice,
  done: readonly Performed[],
) => Promise<void> | void

/** A campaign over an application's own entities. */
export interface Simulation {
  readonly entities: readonly Entity[]
  /** What people do, by name; each step of a run is one of them on some device. */
  readonly workload: Readonly<Record<string, Action>>
  /** What must hold, by name. */
  readonly invariants: Readonly<Record<string, Invariant>>
  /** Default 3. */
  readonly devices?: number
  /** Steps of each run. Default 50. */
  readonly steps?: number
  /** How many runs. Default 100. */
  readonly seeds?: number
  /** Seed of the first run. Default 1. */
  readonly first?: number
  /**
   * Kinds of fault to choose from; each run has a random half of them. Default: all but `restore`, since a disk that is restored from an
   * older copy may lose acknowledged commits that had not left the device.
   */
  readonly faults?: readonly FaultKind[]
}
