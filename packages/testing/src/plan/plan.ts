import type { Path, Perturbation } from '@peerplane/core'
import type { Durability } from '@peerplane/runtime'

import type { AmbientFault, MomentaryFault } from '../fleet/fault-kinds.ts'
import type { Harm } from '../hostile/harm-kinds.ts'

/**
 * A plan: all events that happen to the simulated devices from outside, as plain data. A seed determines all events of a plan. Any part of a plan can
 * be removed without changing the other parts, so the plan of a failing run can be made smaller. Random values that are not in a plan, such as
 * latencies, keys and the data that a crash loses, are drawn from the seed of the plan. Each device and each direction between two devices has its
 * own random stream.
 */
export interface Plan<Work> {
  readonly seed: number
  /** The devices. The first device founds the space. */
  readonly devices: readonly PlannedDevice[]
  readonly conditions: readonly Condition[]
  /** Members that mean harm. Default: none. */
  readonly members?: readonly PlannedMember[] | undefined
  /** Points at which Peerplane sometimes takes a rare branch. Default: no points. */
  readonly rareWays?: readonly Perturbation[] | undefined
  /** Sorted by time. */
  readonly steps: readonly Step<Work>[]
  /** The time at which all faults end, in milliseconds after the beginning of the run. */
  readonly endMs: number
}

export interface PlannedDevice {
  readonly name: string
  /** Names of the devices it stays connected to. */
  readonly dial: readonly string[]
  readonly anchor: boolean
  /** The time at which it joins, in milliseconds after all others have joined. Default: with the others. */
  readonly joinMs?: number | undefined
}

/** A hostile member. */
export type PlannedMember = Pick<PlannedDevice, 'name' | 'dial'>

/** What colours a whole run. */
export type Condition =
  | { readonly kind: Exclude<AmbientFault, PrivateConditions>; readonly value: number }
  | {
      readonly kind: 'slow-links'
      readonly from: string
      readonly to: string
      readonly latencyMs: number
      /** Bytes per millisecond. */
      readonly rate: number
    }
  | {
      readonly kind: 'slow-disk'
      readonly device: string
      readonly flushMs: number
      readonly readMs: number
    }
  | { readonly kind: 'clock-skew'; readonly device: string; readonly byMs: number }

type PrivateConditions = 'slow-links' | 'slow-disk' | 'clock-skew'

/** Something that happens at a moment, counted from when all devices have joined. */
export type Step<Work> = { readonly id: number; readonly atMs: number } & (
  | { readonly work: Work; readonly device: string }
  /** Keeps a copy of a disk, for a later `restore`. */
  | { readonly copy: true; readonly device: string }
  | { readonly fault: Fault }
)

/** A command of the campaign, or several that make one commit. */
export interface CommandWork {
  readonly on: readonly {
    /** Key of the entity, `type/id`. */
    readonly entity: string
    readonly command: string
    readonly key: string
    readonly by: number
  }[]
  readonly durability: Durability
  /** Asked for twice at once under one operation id, and again so long after it was acknowledged. */
  readonly repeatMs?: number | undefined
}

/** One fault with all its choices. */
export type Fault =
  | (AtDevice<'crash' | 'power-cut' | 'restart'> & { readonly downMs: number })
  /** `copy` is the id of the step that made it. */
  | (AtDevice<'restore'> & { readonly copy: number; readonly downMs: number })
  | (AtDevice<'clone'> & { readonly dial: readonly string[] })
  | (AtDevice<'offline' | 'pause' | 'disk-full'> & { readonly lastsMs: number })
  | (AtDevice<'disk-errors'> & { readonly lastsMs: number; readonly probability: number })
  | (AtDevice<'clock-jump'> & { readonly byMs: number })
  | CutFault
  | { readonly kind: 'reset'; readonly between: readonly [string, string] }
  | {
      readonly kind: 'path-change'
      readonly between: readonly [string, string]
      readonly path: Path
    }
  | Harm

/** Nothing comes through these ways. */
export interface CutFault {
  readonly kind: 'partition' | 'one-way-cut'
  readonly ways: readonly (readonly [from: string, to: string])[]
  readonly lastsMs: number
}

interface AtDevice<Kind extends MomentaryFault> {
  readonly kind: Kind
  readonly device: string
}

/** Names of the devices that a fault is about, if any. */
export function devicesOf(fault: Fault): readonly string[] {
  if ('member' in fault) return []
  if ('ways' in fault) return [...new Set(fault.ways.flat())]
  return 'between' in fault ? fault.between : [fault.device]
}
