import type { Entity } from '@peerplane/core'
import type { Plane } from '@peerplane/runtime'

import type { FaultKind } from './fleet/fault-kinds.ts'
import type { SimRandom } from './world/random.ts'

/** A simulated device, as workloads and invariants use it. */
export interface SimulatedDevice {
  readonly name: string
  readonly plane: Plane
  /** A random source that depends on the seed of the run. An action must draw all its random choices from `random`. */
  readonly random: SimRandom
}

/**
 * One action of a user: one command or a few commands. If an action rejects, the run continues, because devices may crash in the middle of commands.
 * The result of an action is kept as {@link Performed.result}.
 */
export type Action = (device: SimulatedDevice) => Promise<unknown>

/** The outcome of one action. */
export interface Performed {
  /** The name of the action in the workload. */
  readonly action: string
  readonly device: string
  /**
   * `acknowledged` means that the action resolved, and `refused` means that a handler refused a command. `unknown` means that the action failed
   * although no handler refused a command, or that its device went down before the action ended. An action with the outcome `unknown` may or may not
   * have taken effect.
   */
  readonly outcome: 'acknowledged' | 'refused' | 'unknown'
  /** The value with which the action resolved. */
  readonly result: unknown
}

/**
 * An invariant: a rule that must hold at the end of a run, when all faults are over and all devices are equal. An invariant is called for every
 * device, with the outcomes of all actions on all devices, in the order of the actions. An invariant must throw or reject if its rule is broken.
 */
export type Invariant = (
  device: SimulatedDevice,
  done: readonly Performed[],
) => Promise<void> | void

/** The settings of a simulation with the entities of an application. */
export interface Simulation {
  readonly entities: readonly Entity[]
  /** The actions of users, by name. Each step of a run performs one action of the workload on one device. */
  readonly workload: Readonly<Record<string, Action>>
  /** The invariants that must hold, by name. */
  readonly invariants: Readonly<Record<string, Invariant>>
  /** The number of devices. Default: 3. */
  readonly devices?: number
  /** The number of steps in each run. Default: 50. */
  readonly steps?: number
  /** The number of runs. Default: 100. */
  readonly seeds?: number
  /** The seed of the first run. Default: 1. */
  readonly first?: number
  /**
   * The kinds of fault that may occur; each run uses a random half of them. Default: all kinds except `restore`. The fault `restore` replaces a disk
   * by an older copy, so acknowledged commits that no other device holds may be lost.
   */
  readonly faults?: readonly FaultKind[]
}
