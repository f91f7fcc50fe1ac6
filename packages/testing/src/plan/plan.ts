import type { Path, Perturbation } from '@peerplane/core'
import type { Durability } from '@peerplane/runtime'

import type { AmbientFault, MomentaryFault } from '../fleet/fault-kinds.ts'

/**
 * Everything that happens to a fleet from outside, as plain data: the decisions of a seed, written out. Any part can be left out without
 * changing the others, so a failing run can be made smaller. What a plan does not say (latencies, keys, what a crash loses) follows from its
 * seed, with one random stream for each device and each direction between two devices.
 */
export interface Plan<Work> {
  readonly seed: number
  /** The first one founds the space. */
  readonly devices: readonly PlannedDevice[]
  readonly conditions: readonly Condition[]
  /** Points at which the product sometimes takes a rare branch; default none. */
  readonly rareWays?: readonly Perturbation[] | undefined
  /** Sorted by time. */
  readonly steps: readonly Step<Work>[]
  /** When all faults end, milliseconds after the beginning. */
  readonly endMs: number
}

export interface PlannedDevice {
  readonly name: string
  /** Names of the devices it stays connected to. */
  readonly dial: readonly string[]
  readonly anchor: boolean
}

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
  if ('ways' in fault) return [...new Set(fault.ways.flat())]
  return 'between' in fault ? fault.between : [fault.device]
}
