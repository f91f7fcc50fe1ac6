import type { Condition, Fault, PlannedDevice } from '../plan/plan.ts'

/**
 * The events of a run, as plain data. All times are in milliseconds of simulated time, counted from the beginning of the simulation. Every table is
 * bounded.
 */
export interface Recording {
  readonly seed: number
  /** The time when all devices had joined the space. The times in a plan are counted from the moment when all devices had joined. */
  readonly beginMs: number
  readonly healedMs: number
  readonly endMs: number
  readonly devices: readonly RecordedDevice[]
  readonly conditions: readonly Condition[]
  readonly processes: readonly RecordedProcess[]
  readonly commands: readonly RecordedCommand[]
  readonly commits: readonly RecordedCommit[]
  readonly links: readonly RecordedLink[]
  readonly frames: readonly RecordedFrame[]
  readonly faults: readonly RecordedFault[]
  readonly shown: readonly RecordedShow[]
  readonly violations: readonly RecordedViolation[]
  readonly failures: readonly RecordedFailure[]
  /** The number of entries that were dropped because the tables were full. */
  readonly dropped: number
}

export interface RecordedDevice extends PlannedDevice {
  /** The device whose disk it began with. */
  readonly cloneOf?: string
}

/** One opening of a device, from when it could be used. */
export interface RecordedProcess {
  readonly name: string
  readonly device: string
  readonly fromMs: number
  toMs?: number
  /** Kind of the fault that ended it. */
  end?: string
}

/** One call of an application: a command, or several that make one commit. */
export interface RecordedCommand {
  /** Id of the step of the plan. */
  readonly step: number | undefined
  readonly process: string
  readonly atMs: number
  readonly on: readonly {
    readonly entity: string
    readonly command: string
    /** Input as JSON, cut to a few hundred characters. */
    readonly input: string
  }[]
  readonly durability: string
  /** `unknown`: the process ended before there was an answer. */
  outcome: 'acknowledged' | 'rejected' | 'unknown'
  /** Of the outcome. */
  endMs?: number
  /** Why it was rejected. */
  reason?: string
  commit?: string
}

/** A commit, as disks got to hold it. */
export interface RecordedCommit {
  readonly id: string
  /** Session and seq are the place of the commit; the session is written by one process. */
  readonly session: string
  readonly seq: number
  readonly process: string
  readonly deps: readonly { readonly session: string; readonly seq: number }[]
  readonly entities: readonly string[]
  /** Steps of the plan whose commands it holds, as far as known. */
  step?: number
  /** First arrival in the store of each process. */
  readonly stored: { readonly process: string; readonly atMs: number }[]
}

/** One end of a link as its process saw it. */
export interface RecordedLink {
  readonly process: string
  readonly peer: string
  readonly path: string
  readonly fromMs: number
  toMs?: number
}

export interface RecordedFrame {
  readonly from: string
  readonly to: string
  readonly sentMs: number
  readonly atMs: number
  readonly bytes: number
}

export interface RecordedFault {
  readonly fault: Fault
  readonly fromMs: number
  toMs?: number
}

/** A process began to show the effects of a step. */
export interface RecordedShow {
  readonly process: string
  readonly step: number
  readonly atMs: number
}

/** The work of a step ended in an error. */
export interface RecordedFailure {
  readonly step: number
  readonly atMs: number
  readonly reason: string
}

export interface RecordedViolation {
  readonly rule: string
  readonly where: string
  readonly what: string
  readonly atMs: number
}
